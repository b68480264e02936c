// Tells the numbers of each bar of a chart, to a pointer and to the keyboard. The numbers come from the chart's table, which
// has them without this script as well.

// A bar is a button above the picture. Tab leads to one of them, and the arrow keys to the others.
function bars(chart, rows, names) {
  const { left, right } = chart.dataset;
  const list = document.createElement("ul");
  list.className = "bars";
  list.setAttribute("aria-label", "Activity over time. Use the arrow keys.");
  const inset = { left: Number(left), right: Number(right) };
  list.style.left = `${inset.left}%`;
  list.style.right = `${inset.right}%`;

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("aria-hidden", "true");
  tip.hidden = true;

  const buttons = rows.map((row, at) => {
    const name = row.querySelector("th").textContent.trim();
    const counts = [...row.querySelectorAll("td")].map((cell) => cell.textContent.trim());
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = at === rows.length - 1 ? 0 : -1;
    button.setAttribute("aria-label", `${name} UTC: ${counts.map((count, of) => `${names[of]} ${count}`).join(", ")}`);
    const show = () => {
      const heading = document.createElement("strong");
      heading.textContent = `${name} UTC`;
      const lines = counts.map((count, of) => {
        const line = document.createElement("span");
        const label = document.createElement("span");
        label.className = `dotted ${["tokens", "direct", "refused"][of]}`;
        label.textContent = names[of];
        const number = document.createElement("span");
        number.className = "number";
        number.textContent = count;
        line.append(label, number);
        return line;
      });
      tip.replaceChildren(heading, ...lines);
      tip.hidden = false;
      // The tip stays inside the chart.
      const middle = item.offsetLeft + list.offsetLeft + item.offsetWidth / 2;
      const most = chart.clientWidth - tip.offsetWidth;
      tip.style.left = `${Math.max(0, Math.min(most, middle - tip.offsetWidth / 2))}px`;
    };
    button.addEventListener("pointerenter", show);
    button.addEventListener("focus", show);
    button.addEventListener("blur", () => { tip.hidden = true; });
    item.append(button);
    list.append(item);
    return button;
  });

  list.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (event.key === "Escape") tip.hidden = true;
    if (to === undefined || buttons[to] === undefined) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
  });
  chart.addEventListener("pointerleave", () => {
    if (!chart.contains(document.activeElement)) tip.hidden = true;
  });
  chart.append(list, tip);
}

for (const chart of document.querySelectorAll(".chart[data-left]")) {
  const table = chart.closest("section").querySelector(".numbers table");
  if (table === null) continue;
  const names = [...table.querySelectorAll("thead th")].slice(1).map((head) => head.textContent.trim());
  bars(chart, [...table.querySelectorAll("tbody tr")], names);
}

// Copies the text of a button, and says so to everybody. Without this script, the button is not shown.

const said = document.createElement("p");
said.className = "hidden";
said.setAttribute("role", "status");
document.querySelector("main").append(said);

function tell(button, words) {
  button.dataset.said = words;
  // A region that already has these words would not be read out again.
  said.textContent = "";
  setTimeout(() => { said.textContent = words; }, 50);
  setTimeout(() => { delete button.dataset.said; }, 3000);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-text]");
  if (button === null) return;
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(button.dataset.copyText);
    tell(button, "Copied");
  } catch {
    // Where the browser forbids copying, the text is selected for the keyboard shortcut.
    const shown = button.parentElement.querySelector("code");
    if (shown !== null) getSelection().selectAllChildren(shown);
    tell(button, shown === null ? "Not copied" : "Press Ctrl+C");
  }
});

// Takes the code from behind the # of the address, where no server and no log sees it, and sends it in a form. In a frame in which
// the browser keeps no cookie, a session would be lost at once, so the page opens in a tab of its own instead.
const form = document.querySelector("[data-portal-code]");
const code = location.hash.slice(1);

const keepsCookies = () => {
  const name = "claviger-portal-try";
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const attributes = `; Path=/; ${form.dataset.cookie}${secure}`;
  document.cookie = `${name}=1${attributes}; Max-Age=60`;
  const isKept = document.cookie.split("; ").includes(`${name}=1`);
  document.cookie = `${name}=${attributes}; Max-Age=0`;
  return isKept;
};

if (form && code) {
  const status = document.querySelector("[data-portal-status]");
  form.hidden = true;
  if (keepsCookies()) {
    history.replaceState(null, "", location.pathname);
    form.elements.code.value = code;
    if (status) status.textContent = "One moment…";
    form.submit();
  } else {
    const tab = document.querySelector("[data-portal-tab]");
    tab.querySelector("a").href = location.href;
    tab.hidden = false;
    if (status) status.textContent = "Your browser keeps no session inside this page.";
  }
}

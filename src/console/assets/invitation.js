// The code of an invitation stands behind the # of its link, so that no server and no log along the way sees it. This
// takes it from there into the form, and out of the address bar and the history.
const field = document.querySelector('#invitation-code');
const code = location.hash.slice(1);
if (field && code) {
  history.replaceState(null, '', location.pathname);
  field.value = code;
  field.form.requestSubmit();
}

// Shows how far a file is while it is made. Without this script the forms download all the same.
(() => {
  "use strict";
  const EVERY_MS = 700;
  const QUIET_MS = 60000;

  const word = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (n) => n.toString(16).padStart(2, "0")).join("");

  const show = (form, told) => {
    const place = form.querySelector(".export-state");
    const bar = place.querySelector("progress");
    const words = place.querySelector("[data-read]");
    place.hidden = false;
    bar.hidden = told.state === "failed";
    place.classList.toggle("late", bar.hidden);
    if (told.total > 0 && told.state !== "none") { bar.max = told.total; bar.value = told.done; } else { bar.removeAttribute("value"); }
    const number = new Intl.NumberFormat(document.documentElement.lang);
    const counted = told.total > 0 ? " (" + number.format(told.done) + " / " + number.format(told.total) + ")" : "";
    words.textContent = words.dataset[told.state] + (told.state === "failed" ? "" : counted);
  };

  const follow = async (form, url) => {
    const since = Date.now();
    let told = {state: "none", done: 0, total: 0};
    show(form, told);
    while (told.state !== "done" && told.state !== "failed") {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      if (form.dataset.url !== url) { return; }
      try {
        const answer = await fetch(url, {headers: {Accept: "application/json"}});
        if (!answer.ok) { break; }
        told = await answer.json();
      } catch { continue; }
      if (told.state === "none" && Date.now() - since > QUIET_MS) { break; }
      show(form, told);
    }
    if (told.state === "none") { form.querySelector(".export-state").hidden = true; }
  };

  for (const form of document.querySelectorAll("form[data-export]")) {
    form.addEventListener("submit", () => {
      const ticket = word();
      let field = form.elements.ticket;
      if (!field) {
        field = document.createElement("input");
        field.type = "hidden";
        field.name = "ticket";
        form.append(field);
      }
      field.value = ticket;
      form.dataset.url = form.dataset.export.replace("TICKET", ticket);
      follow(form, form.dataset.url);
    });
  }
})();

/* Recording visits by keyboard: J and K walk the list, 1 to 3 record, N writes a note. */
(function () {
  "use strict";

  const rows = Array.from(document.querySelectorAll("[data-visit]")).filter((row) => row.querySelector("form"));

  function go(row) {
    if (!row) { return; }
    row.tabIndex = -1;
    row.focus();
    row.scrollIntoView({block: "nearest"});
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !rows.length) { return; }
    const row = event.target.closest("[data-visit]");
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape" && row) { go(row); }
      // Enter would press the first button, whatever was found.
      if (event.key === "Enter" && row) { event.preventDefault(); go(row); }
      return;
    }
    const at = rows.indexOf(row);
    const key = event.key.toLowerCase();
    if (key === "j") { go(rows[at + 1] || rows[0]); }
    else if (key === "k") { go(rows[at - 1] || rows[rows.length - 1]); }
    else if (key === "n" && row) { row.querySelector("input[name=note]").focus(); }
    else if (row && row.querySelector(`[data-key="${CSS.escape(event.key)}"]`)) {
      row.querySelector(`[data-key="${CSS.escape(event.key)}"]`).click();
    } else { return; }
    event.preventDefault();
  });

  if (location.hash === "#next") { go(document.getElementById("next")); }
  for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => window.print());
  }
})();

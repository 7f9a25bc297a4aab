/* Tables that sort in place, rows that select, a metric switch. Everything also works by links. */
(function () {
  "use strict";

  const language = document.documentElement.lang || "vi";
  const collator = new Intl.Collator("vi", {numeric: true});

  /* ---- sorting: headers are links with data-sort; cells carry data-value ---- */
  function compare(a, b) {
    if (a === "" || b === "") { return a === b ? 0 : (a === "" ? 1 : -1); }
    const x = Number(a), y = Number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? collator.compare(a, b) : x - y;
  }

  function sortTable(table, heading, descending) {
    const index = Array.from(heading.parentElement.children).indexOf(heading);
    const body = table.tBodies[0];
    const value = (row) => {
      const cell = row.cells[index];
      return cell.dataset.value !== undefined ? cell.dataset.value : cell.textContent.trim();
    };
    const rows = Array.from(body.rows);
    rows.sort((r, s) => {
      // Areas without any record come last either way; web/columns.py does the same.
      const bare = r.classList.contains("bare") - s.classList.contains("bare");
      if (bare) { return bare; }
      const a = value(r), b = value(s);
      const order = compare(a, b);
      return a === "" || b === "" ? order : (descending ? -order : order);
    });
    body.append(...rows);
    for (const other of heading.parentElement.children) { other.removeAttribute("aria-sort"); }
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  }

  /* Links to this page in another language or order keep what scripts have changed since. */
  function keepState() {
    const now = new URL(location.href).searchParams;
    for (const link of document.querySelectorAll(".languages a, .switch a, th a[data-sort]")) {
      const url = new URL(link.href);
      const own = link.dataset.sort ? ["sort", "dir"] : link.dataset.metric ? ["metric"] : [];
      for (const key of ["sort", "dir", "metric", "survey", "commune", "case", "item"]) {
        if (own.includes(key)) { continue; }
        if (now.has(key)) { url.searchParams.set(key, now.get(key)); } else { url.searchParams.delete(key); }
      }
      link.href = url.href;
    }
  }
  document.addEventListener("ancu:address", keepState);
  window.addEventListener("popstate", keepState);

  for (const link of document.querySelectorAll("table.sortable th a[data-sort]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const heading = link.closest("th");
      const now = heading.getAttribute("aria-sort");
      const descending = now ? now === "ascending" : link.dataset.first === "desc";
      sortTable(link.closest("table"), heading, descending);
      const url = new URL(location.href);
      url.searchParams.set("sort", link.dataset.sort);
      url.searchParams.set("dir", descending ? "desc" : "asc");
      history.replaceState(history.state, "", url);
      keepState();
    });
  }

  /* ---- metric switch ---- */
  function useMetric(metric) {
    for (const link of document.querySelectorAll("a[data-metric]")) {
      const on = link.dataset.metric === metric;
      link.classList.toggle("on", on);
      if (on) { link.setAttribute("aria-current", "true"); } else { link.removeAttribute("aria-current"); }
    }
    for (const cell of document.querySelectorAll("[data-key]")) {
      cell.classList.toggle("on", cell.dataset.key === metric);
    }
    document.dispatchEvent(new CustomEvent("ancu:metric", {detail: metric}));
  }

  const switches = document.querySelectorAll("a[data-metric]");
  for (const link of switches) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const url = new URL(location.href);
      url.searchParams.set("metric", link.dataset.metric);
      history.pushState({metric: link.dataset.metric}, "", url);
      keepState();
      useMetric(link.dataset.metric);
    });
  }
  if (switches.length) {
    const first = document.querySelector("a[data-metric].on").dataset.metric;
    window.addEventListener("popstate", () => {
      useMetric(new URL(location.href).searchParams.get("metric") || first);
    });
  }

  /* ---- targeting: choosing an area on the map opens its figures ---- */
  document.addEventListener("ancu:area", (event) => {
    const panel = document.getElementById("panel-" + event.detail);
    if (!panel) { return; }
    panel.open = true;
    panel.scrollIntoView({block: "nearest"});
  });

  /* ---- selects that filter at once; the button stays for keyboards and without scripts ---- */
  for (const field of document.querySelectorAll("select[data-submit]")) {
    // Arrow keys change a closed select at every step: only a pointer's choice is final.
    let byKey = false;
    field.addEventListener("keydown", () => { byKey = true; });
    field.addEventListener("pointerdown", () => { byKey = false; });
    field.addEventListener("change", () => { if (!byKey) { field.form.requestSubmit(); } });
  }

  /* ---- one upload at a time ---- */
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", () => {
      form.classList.add("busy");
      form.querySelector("button[type=submit]").disabled = true;
    });
  }
  window.addEventListener("pageshow", (event) => { if (event.persisted) { location.reload(); } });
})();

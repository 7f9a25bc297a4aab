/* What the map page does beside showing: measure, print, fill the screen, hand on the link. */
(function () {
  "use strict";

  const {element, counts, language} = Ancu.tools;
  const A = 6378137, F = 1 / 298.257223563, E2 = F * (2 - F);
  const AUTHALIC = 6371007.1809;  // metres: the sphere that has as much surface as the ellipsoid
  // A4 across in CSS pixels: its width, and the height that is left for the map; metres of a pixel.
  const PAPER = 1040, LEFT = 350, PIXEL = 0.0254 / 96;

  const rad = (degrees) => degrees * Math.PI / 180;

  /* Metres between two places on the ellipsoid (Andoyer-Lambert; within some metres anywhere). */
  function metres(from, to) {
    const reduced = (lat) => Math.atan((1 - F) * Math.tan(rad(lat)));
    const b1 = reduced(from.lat), b2 = reduced(to.lat);
    const half = Math.sin((b2 - b1) / 2) ** 2 + Math.cos(b1) * Math.cos(b2) * Math.sin(rad(to.lng - from.lng) / 2) ** 2;
    const s = 2 * Math.asin(Math.min(1, Math.sqrt(half)));
    if (s < 1e-12) { return 0; }
    const p = (b1 + b2) / 2, q = (b2 - b1) / 2;
    const x = (s - Math.sin(s)) * (Math.sin(p) * Math.cos(q) / Math.cos(s / 2)) ** 2;
    const y = (s + Math.sin(s)) * (Math.cos(p) * Math.sin(q) / Math.sin(s / 2)) ** 2;
    return A * (s - F / 2 * (x + y));
  }

  /* Square metres of a ring of places, on the sphere of equal surface. */
  function squareMetres(ring) {
    const e = Math.sqrt(E2);
    const q = (sine) => (1 - E2) * (sine / (1 - E2 * sine * sine) + Math.atanh(e * sine) / e);
    const authalic = (lat) => q(Math.sin(rad(lat))) / q(1);
    let sum = 0;
    ring.forEach((here, i) => {
      const next = ring[(i + 1) % ring.length];
      sum += rad(next.lng - here.lng) * (authalic(here.lat) + authalic(next.lat));
    });
    return Math.abs(sum / 2) * AUTHALIC * AUTHALIC;
  }

  const digits = (value, most) => new Intl.NumberFormat(language, {maximumFractionDigits: most}).format(value);
  const lengthText = (m) => (m >= 999.5 ? digits(m / 1000, m >= 99950 ? 0 : 2) + " km" : digits(m, m >= 10 ? 0 : 1) + " m");
  function groundText(m2) {
    if (m2 >= 1e6) { return digits(m2 / 1e6, 2) + " km²"; }
    return m2 >= 1e4 ? digits(m2 / 1e4, 2) + " ha" : digits(m2, 0) + " m²";
  }
  Ancu.measures = {metres, squareMetres, lengthText, groundText};

  Ancu.act = function (map) {
    const words = map.ancu.viewWords;
    const hint = document.getElementById("map-hint");
    const actions = document.getElementById("map-actions");
    const button = (name) => actions.querySelector("[data-act=" + name + "]");
    actions.hidden = false;

    /* ---- measuring ---- */
    const drawn = L.layerGroup().addTo(map);
    let places = [];
    const measuring = () => button("measure").getAttribute("aria-pressed") === "true";
    function draw() {
      drawn.clearLayers();
      const style = {pane: "evidence", interactive: false, color: "#7a1a8c", weight: 3};
      if (places.length > 2) { L.polygon(places, {...style, weight: 0, fillOpacity: 0.15}).addTo(drawn); }
      L.polyline(places, style).addTo(drawn);
      places.forEach((place) => L.circleMarker(place, {...style, radius: 4, fillColor: "#ffffff", fillOpacity: 1}).addTo(drawn));
      const length = places.slice(1).reduce((sum, place, i) => sum + metres(places[i], place), 0);
      const parts = [element("b", "", words.length + ": " + lengthText(length))];
      if (places.length > 2) { parts.push(element("b", "", words.ground + ": " + groundText(squareMetres(places)))); }
      hint.replaceChildren(...parts, element("span", "", words.measureHelp));
    }
    function measure(on) {
      forget();
      button("measure").setAttribute("aria-pressed", String(on));
      map.ancu.picking = on;
      map.getContainer().classList.toggle("measuring", on);
      hint.hidden = !on;
      places = [];
      drawn.clearLayers();
      if (on) { draw(); map.closePopup(); map.getContainer().focus(); }
    }
    button("measure").addEventListener("click", () => measure(!measuring()));
    map.on("click", (event) => { if (measuring()) { places.push(event.latlng); draw(); } });
    document.addEventListener("keydown", (event) => {
      if (!measuring() || event.target.closest("input, select, a, dialog")) { return; }
      if (event.key === "Escape") { measure(false); button("measure").focus(); }
      if (event.target !== map.getContainer()) { return; }
      if (event.key === "Enter") { places.push(map.getCenter()); draw(); }
      if (event.key === "Backspace") { event.preventDefault(); places.pop(); draw(); }
    });

    /* ---- what was said of the link: as long as the map is what the link leads to ---- */
    let said = null, forgetting = 0;
    function forget() {
      clearTimeout(forgetting);
      if (!said) { return; }
      said.remove();
      said = null;
      hint.hidden = !measuring();
    }
    function say(text) {
      forget();
      if (!measuring()) { hint.replaceChildren(); }
      said = element("span", "", text);
      hint.append(said);
      hint.hidden = false;
      forgetting = setTimeout(forget, 10000);
    }
    map.on("movestart zoomstart", forget);
    document.getElementById("map-form").addEventListener("change", forget);

    /* ---- the whole screen ---- */
    const whole = document.getElementById("map-view"), leave = whole.querySelector("[data-act=leave]");
    if (button("full")) {
      button("full").addEventListener("click", async () => {
        // Telephones without this right still get a map as large as their window.
        try { await whole.requestFullscreen(); } catch (error) { console.info(error); whole.classList.add("full"); }
        leave.focus();
      });
      leave.addEventListener("click", () => {
        if (document.fullscreenElement) { document.exitFullscreen(); }
        whole.classList.remove("full");
        button("full").focus();
      });
    }
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") { whole.classList.remove("full"); } });

    /* ---- the link ---- */
    if (button("copy")) {
      button("copy").addEventListener("click", async () => {
        const link = map.ancu.link();
        try {
          await navigator.clipboard.writeText(link);
          say(words.copied);
        } catch (error) {
          console.info(error);
          const dialog = document.getElementById("map-link");
          dialog.querySelector("input").value = link;
          dialog.showModal();
          dialog.querySelector("input").select();
        }
      });
    }

    /* ---- paper ---- */
    const frame = map.getContainer();
    function paperHead(shrink) {
      const {layers, filters, known} = map.ancu.told();
      const {lat} = map.getCenter();
      const ground = 2 * Math.PI * A * Math.cos(rad(lat)) / 256 / 2 ** map.getZoom();
      const exact = ground / (PIXEL * shrink), unit = 10 ** Math.floor(Math.log10(exact) - 1);
      const now = new Intl.DateTimeFormat(language, {dateStyle: "short", timeStyle: "short", timeZone: "Asia/Ho_Chi_Minh"}).format(new Date());
      const lines = [
        layers.join(" · "), filters.join(" · ") || words.noFilters,
        words.scale + " 1:" + counts.format(Math.round(exact / unit) * unit) + " · " + words.printed + " " + now];
      if (!known) { lines.push(map.ancu.words.failed); }
      document.getElementById("paper-head").replaceChildren(...lines.map((line) => element("p", "", line)));
    }
    window.addEventListener("beforeprint", () => {
      const shrink = Math.min(1, PAPER / frame.offsetWidth, LEFT / frame.offsetHeight);
      frame.style.zoom = shrink;
      paperHead(shrink);
    });
    window.addEventListener("afterprint", () => { frame.style.zoom = ""; });
    if (button("print")) { button("print").addEventListener("click", () => window.print()); }
  };
})();

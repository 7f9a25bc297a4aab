/* Search on the map page: areas lead to their own map, records are shown where they stand. */
(function () {
  "use strict";

  const {element, signIn} = Ancu.tools;
  const PAUSE = 400;  // milliseconds after the last key
  const LONGEST = 14;  // the identifiers of surveys have more
  const digitsOf = (text) => (text.match(/\d/g) || []).length;
  // Digits may become the number of an identity paper: it is looked for when it is whole and somebody
  // says so, not with every key, since each search stays in the access log.
  const isNumber = (text) => !/\p{L}/u.test(text) && digitsOf(text) > 3 && digitsOf(text) <= LONGEST;

  Ancu.search = function (map, config) {
    const words = map.ancu.viewWords;
    const field = document.getElementById("map-q");
    const list = document.getElementById("map-results");
    const found = document.getElementById("map-found");
    const ring = L.circleMarker([0, 0], {pane: "evidence", radius: 12, color: "#111827", weight: 3, fill: false, interactive: false});
    let timer = 0, latest = 0;

    function popupOf(one) {
      const box = element("div", "tip");
      box.append(element("strong", "", one.title), element("span", "", one.kind));
      const link = element("a", "", words.open);
      link.href = one.url;
      box.append(link);
      return box;
    }
    function entry(one) {
      const item = element("li");
      const placed = one.lat !== undefined && one.lat !== null;
      const made = element(one.area || !placed ? "a" : "button", "found", one.title);
      if (one.area) { made.href = "/map/" + encodeURIComponent(one.area) + "?" + map.ancu.address(false); }
      if (!one.area && !placed) { made.href = one.url; }
      if (!one.area && placed) {
        made.type = "button";
        made.addEventListener("click", () => {
          map.setView([one.lat, one.lon], Math.max(map.getZoom(), 16), {animate: false});
          ring.setLatLng([one.lat, one.lon]).addTo(map);
          map.ancu.popup(popupOf(one), [one.lat, one.lon]);
        });
      }
      item.append(made, element("small", "", one.kind + (one.area || placed ? "" : " · " + words.noPoint)));
      return item;
    }
    async function ask() {
      const query = field.value.trim(), turn = (latest += 1);
      if (!query) { list.hidden = true; found.textContent = ""; return; }
      const late = () => turn !== latest;  // a later search has begun
      try {
        const answer = await fetch(config.url + "&q=" + encodeURIComponent(query), {headers: {Accept: "application/json"}});
        if (late()) { return; }
        if (answer.status === 401) { list.hidden = true; found.replaceChildren(...signIn(map.ancu.words)); return; }
        if (!answer.ok) { throw new Error(String(answer.status)); }
        const {items, more} = await answer.json();
        if (late()) { return; }
        list.replaceChildren(...items.map(entry));
        list.hidden = !items.length;
        found.textContent = items.length ? (more ? words.first.replace("%(shown)s", items.length) : "") : words.none;
      } catch (error) {
        console.error(error);
        if (late()) { return; }
        list.hidden = true;
        found.textContent = words.offline;
      }
    }
    field.addEventListener("input", () => {
      clearTimeout(timer);
      if (!isNumber(field.value)) { timer = setTimeout(ask, PAUSE); return; }
      latest += 1;  // what is still on its way is for another text
      list.hidden = true;
      found.textContent = words.enter;
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); clearTimeout(timer); ask(); }
      if (event.key === "Escape") { field.value = ""; ask(); }
    });
  };
})();

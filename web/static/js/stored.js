/* In a map that was saved as a file: answers from the file itself, because there is no service. */
(function () {
  "use strict";

  const {answers, tiles} = window.AncuStored;
  const JSON_BY_END = {"figures.json": "figures", "children.geojson": "children", "outline.geojson": "outline"};

  function bytes(text) {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  }

  window.fetch = async (url) => {
    const [path, query] = String(url).split("?");
    const tile = /\/tiles\/(.+)\.mvt$/.exec(path);
    if (tile) { return new Response(tiles[tile[1]] ? bytes(tiles[tile[1]]) : new Uint8Array()); }
    const communes = (query || "").includes("level=commune") && path.endsWith("children.geojson");
    const name = communes ? "communes" : JSON_BY_END[path.split("/").pop()];
    return new Response(JSON.stringify(answers[name] || {}));
  };
})();

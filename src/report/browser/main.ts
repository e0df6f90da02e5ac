import { listenToMap, map, redraw } from "./map.ts";
import { listenToSearch } from "./search.ts";

listenToMap();
listenToSearch();
// Without this class, the page shows only tables, as it does without scripts.
document.documentElement.classList.add("scripted");
new ResizeObserver(redraw).observe(map);
redraw();

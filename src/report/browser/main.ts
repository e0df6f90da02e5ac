import { map, redraw } from "./map.ts";
import { listenToMap } from "./map-events.ts";
import { listenToSearch } from "./search.ts";

listenToMap();
listenToSearch();
// Without this class the page is tables only, as where scripts do not run.
document.documentElement.classList.add("scripted");
new ResizeObserver(redraw).observe(map);
redraw();

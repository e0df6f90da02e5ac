import { writeFileSync } from "node:fs";
import { actionYml } from "./action-yml.ts";

writeFileSync(new URL("../action/action.yml", import.meta.url), await actionYml());

import "../../test/support/ecr/trusting.ts";
import { bombs } from "./bombs.ts";
import { faults } from "./faults.ts";
import { hostile } from "./hostile.ts";
import { resume } from "./resume.ts";
import { rows } from "./rows.ts";
import { scenes } from "./scenes.ts";
import { soup } from "./soup.ts";
import { together } from "./together.ts";

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  ...{ rows, faults, together, scenes, soup },
  ...{ resume, hostile, bombs },
};
const wanted = process.argv.slice(2);

for (const name of wanted.length > 0 ? wanted : Object.keys(PARTS)) {
  const part = PARTS[name];
  if (!part) throw new Error(`usage: npm run reliability [${Object.keys(PARTS).join("|")}]...`);
  await part();
}

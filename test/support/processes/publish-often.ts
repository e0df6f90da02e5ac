import { openLayout } from "../../../src/layout/directory.ts";
import { send, smallImage } from "../images/small-image.ts";

/** A process of its own: publishes `rounds` images into a layout, tagged `<name>-0`, `<name>-1`, ... */
const [directory = "", name = "", rounds = "1"] = process.argv.slice(2);
for (let round = 0; round < Number(rounds); round++) {
  const sink = openLayout(directory);
  const tag = `${name}-${round}`;
  await send(await smallImage({ text: tag }), sink, [tag]);
  await sink.close();
}

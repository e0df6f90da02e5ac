import { start } from "./io.ts";
import { main } from "./main.ts";

start((io) => main(process.argv.slice(2), io));

import { main } from "./main.ts";
import { start } from "./start.ts";

start((io) => main(process.argv.slice(2), io));

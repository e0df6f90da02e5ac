import { start } from "../src/cli/io.ts";
import { runStep } from "./step.ts";

start(runStep);

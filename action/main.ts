import { start } from "../src/cli/start.ts";
import { runStep } from "./step.ts";

start(runStep);

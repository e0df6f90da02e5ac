import "../../support/ecr/trusting.ts";
import { survives } from "../../support/reliability/suite.ts";

survives("mount");

// Reads XML and versions, with packages that npm puts into node_modules.
import { writeFileSync } from "node:fs";
import { getgid, getuid } from "node:process";
import { XMLParser } from "fast-xml-parser";
import semver from "semver";
import { v5 as uuid } from "uuid";
import { greet } from "./lib/greet.mjs";

function taskIsWritable() {
  try {
    writeFileSync(`${process.env.LAMBDA_TASK_ROOT}/probe`, "");
    return true;
  } catch {
    return false;
  }
}

export async function handler(event, context) {
  if (event.fail) throw new TypeError("asked to fail");
  writeFileSync("/tmp/probe", context.awsRequestId);
  return {
    greeting: greet(event.name),
    xml: new XMLParser().parse("<a><b>1</b></a>"),
    newer: semver.gt("1.10.0", "1.9.0"),
    id: uuid("lambda-pack.example", uuid.DNS),
    user: [getuid(), getgid()],
    taskIsWritable: taskIsWritable(),
  };
}

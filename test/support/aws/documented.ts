import { readdirSync, readFileSync } from "node:fs";
import * as ecr from "@aws-sdk/client-ecr";
import * as lambda from "@aws-sdk/client-lambda";

type ServiceName = "ecr" | "lambda";

const SDKS: Readonly<Record<ServiceName, object>> = { ecr, lambda };

/** One way in which a call fails, as the API reference has it. */
export interface DocumentedError {
  readonly operation: string;
  /** The exception's name. */
  readonly exception: string;
  /** HTTP status. */
  readonly status: number;
}

/** Operations of the API that the product sends for, found in its source. */
export function operationsOf(service: ServiceName): readonly string[] {
  const directory = new URL("../../../src/aws/", import.meta.url);
  // Both services have a TagResource.
  const other = service === "ecr" ? "functions/" : "ecr/";
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.startsWith(other),
  );
  const text = files.map((file) => readFileSync(new URL(file, directory), "utf8"));
  const calls = text.join("\n").matchAll(/(?:\bsend\(|\.(?:ecr|lambda)\(\s*[\w.]+,)\s*"(\w+)"/g);
  const names = [...calls].map(([, name = ""]) => name);
  return [...new Set(names)].filter((name) => `${name}Command` in SDKS[service]).sort();
}

/** Every exception that the SDK's own documentation names for those operations. */
export function documentedErrors(service: ServiceName): readonly DocumentedError[] {
  return operationsOf(service).flatMap((operation) => {
    const types = new URL(
      `dist-types/commands/${operation}Command.d.ts`,
      import.meta.resolve(`@aws-sdk/client-${service}/package.json`),
    );
    const found = readFileSync(types, "utf8").matchAll(/@throws \{@link (\w+)\}/g);
    return [...found]
      .map(([, exception = ""]) => exception)
      .filter((exception) => !/^(?:ECR|Lambda)ServiceException$/.test(exception))
      .map((exception) => ({ operation, exception, status: statusOf(service, exception) }));
  });
}

/** From the SDK's schema of the exception: its third field has its traits. */
function statusOf(service: ServiceName, exception: string): number {
  const schema: unknown = Reflect.get(SDKS[service], `${exception}$`);
  const { error, httpError } = (Array.isArray(schema) ? schema[3] : {}) as {
    readonly error?: string;
    readonly httpError?: number;
  };
  if (error === undefined) throw new Error(`the SDK says nothing of ${exception}`);
  return httpError ?? (error === "server" ? 500 : 400);
}

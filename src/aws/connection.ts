import type { ECRClientConfig } from "@aws-sdk/client-ecr";
import type { OnEvent } from "../events.ts";
import { noteCredentials } from "./credential-notes.ts";
import { type Environment, type Service, settingsOf } from "./environment.ts";
import { askMfaCode, type Terminal, terminalOf } from "./mfa.ts";
import { limitAnswers, type Observable, reportRequests } from "./request-events.ts";
import { openTransport } from "./transport.ts";

export interface ConnectionOptions {
  readonly environment: Environment;
  readonly onEvent?: OnEvent | undefined;
  /** Where codes of an MFA device are asked for. Default: the process's own terminal, if it has one. */
  readonly terminal?: Terminal | undefined;
}

/** An answer of STS or SSO. */
const CREDENTIALS_MS = 20_000;

/** What one client of the SDK needs: its configuration, and what watches its requests. */
export interface Connection {
  readonly config: Pick<
    ECRClientConfig,
    "credentials" | "profile" | "endpoint" | "requestHandler" | "logger"
  >;
  readonly watch: (client: { readonly middlewareStack: Observable }) => void;
  readonly close: () => void;
}

export async function openConnection(
  service: Service,
  { environment, onEvent, terminal = terminalOf() }: ConnectionOptions,
  { connections, answerMs }: { readonly connections: number; readonly answerMs: number },
): Promise<Connection> {
  const transport = await openTransport(environment, connections);
  const notes: string[] = [];
  const logger = { debug: noteCredentials(notes), info: ignore, warn: ignore, error: ignore };
  // The SDK passes these two on to its credential providers: without them SSO and OIDC go direct.
  const forProviders = {
    clientConfig: { requestHandler: transport.requestHandler(CREDENTIALS_MS) },
    ...(terminal && { mfaCodeProvider: (serial: string) => askMfaCode(serial, terminal) }),
  };
  return {
    config: {
      ...settingsOf(environment, service),
      ...forProviders,
      requestHandler: transport.requestHandler(answerMs),
      logger,
    },
    watch: ({ middlewareStack }) => {
      reportRequests(middlewareStack, onEvent ?? ignore, notes);
      limitAnswers(middlewareStack);
    },
    close: () => transport.close(),
  };
}

function ignore(): void {}

import { hasCode, LambdaPackError } from "../errors.ts";
import type { AwsApi } from "./api.ts";

/** Returns undefined, with a warning, if the caller may not see the answer. */
export async function unlessDenied<T>({ emit }: AwsApi, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const isHidden = hasCode(error, "DENIED") || hasCode(error, "REPOSITORY_NOT_FOUND");
    if (!isHidden || !(error instanceof LambdaPackError)) throw error;
    const { message, hint } = error;
    emit({ type: "warning", message, ...(hint !== undefined && { hint }) });
    return undefined;
  }
}

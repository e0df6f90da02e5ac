/** What the SDK takes beside a command. */
export interface Sending {
  readonly abortSignal: AbortSignal;
}

/**
 * What `send` gives, if that is there within so many milliseconds; else a TimeoutError. The SDK's own time ends when the headers of an answer are
 * there: a body that never comes would be waited for for ever.
 */
export async function inTime<T>(
  answerMs: number,
  signal: AbortSignal | undefined,
  send: (options: Sending) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(answerMs);
  try {
    return await send({ abortSignal: signal ? AbortSignal.any([signal, timeout]) : timeout });
  } catch (error) {
    // How the SDK puts it depends on how far it had come.
    throw timeout.aborted && !signal?.aborted ? timeout.reason : error;
  }
}

/** What a key of the configuration file may hold; every option of a command has this shape. */
export interface ConfigOption {
  readonly summary: string;
  readonly type: {
    /** For messages, after "should be". */
    readonly expected: string;
    /** JSON schema of the value. */
    readonly schema: object;
    /** undefined: the value is of another type or out of range. */
    readonly parse: (value: unknown) => unknown;
    /** The value that a variable of the environment holds. */
    readonly parseText?: (text: string) => unknown;
    /** The next step for a value that is often given by mistake. */
    readonly hint?: (value: unknown) => string | undefined;
  };
  /** The environment variable that wins over the file. */
  readonly variable?: string;
}

/** The keys of a function, by their names. */
export type ConfigTable = Readonly<Record<string, ConfigOption>>;

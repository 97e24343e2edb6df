/** The values of a document's variables. */
export type Variables = Readonly<Record<string, unknown>>;

/** One error of an answer, as GraphQL defines it. */
export interface GraphQLError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

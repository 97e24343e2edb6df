export { Client, type ClientOptions, createClient, type LiveHandle } from "./client.ts";
export type { GraphQLError, Variables } from "./graphql.ts";
export type { Snapshot } from "./snapshot.ts";
export type { Status } from "./status.ts";
export { Subscribable } from "./subscribable.ts";

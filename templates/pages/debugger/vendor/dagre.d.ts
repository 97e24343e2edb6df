// What our scripts use of dagre.js, for whoever checks their types.

export const Graph: any;
export function layout(graph: any): void;

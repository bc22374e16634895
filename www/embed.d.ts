/** Quorumscope in another page. See docs/embedding.md. */

/** What the frame begins with: parameters of the address, by name, and what is about the frame itself. */
export interface EmbedOptions {
  /** Where the laboratory is; by default, where `embed.js` came from. */
  src?: string;
  /** A link to a moment of a run, or the part of it behind `#`. */
  link?: string;
  /** The frame's title, for screen readers. */
  title?: string;
  /** The frame's sandbox. Default: `allow-scripts allow-popups allow-popups-to-escape-sandbox`. */
  sandbox?: string;
  /** ms after which it has failed, unless it is ready. Default: 8000. */
  timeout?: number;
  /** Whether the frame takes the height that it wants. Default: false. */
  resize?: boolean;
  /** `lazy`: it is loaded when it comes into view. */
  loading?: "eager" | "lazy";
  /** A picture to show in its place if it fails. */
  picture?: string;
  preset?: string;
  variant?: string;
  seed?: number | string;
  moment?: string;
  autoplay?: boolean | string;
  speed?: string;
  controls?: boolean | string;
  present?: boolean | string;
  panels?: string;
  view?: "stage" | "text";
  lock?: boolean | string;
  faults?: string;
  theme?: "auto" | "light" | "dark";
  motion?: "auto" | "full" | "less";
  links?: "on" | "off";
  lesson?: string;
  content_id?: string;
  host?: string;
}

/** A node of the run. */
export interface NodeState {
  node: number;
  site: string;
  up: boolean;
  role: string | null;
  member: boolean;
  paused: boolean;
  cut: number[];
}

/** The run at a moment. */
export interface State {
  /** µs since the start. */
  time: number;
  events: number;
  fingerprint: string;
  playing: boolean;
  variant: string;
  /** The leader, counted from 1. */
  leader: number | null;
  nodes: NodeState[];
  in_flight: number;
  interventions: number;
  /** Bytes. */
  memory: number;
}

/** What `state()` tells: the state, the scenario, and the part of the link to this moment behind `#`. */
export interface WholeState extends State {
  scenario: object;
  link: string | null;
}

/** What the frame tells. */
export type Message =
  | { type: "state"; state: State }
  | { type: "event"; at: number; text: string }
  | { type: "violation"; at: number; event: number; property: string }
  | { type: "predict"; lesson: string; says: string }
  | { type: "answer"; lesson: string; says: string; right: boolean | null }
  | { type: "resize"; height: number }
  | { type: "error"; code: string; message: string };

/** Another run. One of `preset`, `scenario` and `link`. */
export interface Load {
  preset?: string;
  scenario?: object | string;
  link?: string;
  variant?: string;
  seed?: number | string;
  moment?: string;
  play?: boolean;
}

/** An embedded laboratory. Promises are rejected with an error that has a `code`. */
export interface Scope {
  frame: HTMLIFrameElement;
  ready: Promise<State>;
  play(): Promise<State>;
  pause(): Promise<State>;
  step(): Promise<State>;
  back(): Promise<State>;
  restart(): Promise<State>;
  /** `1:1000` to `100:1`, or `max`. */
  speed(speed: string): Promise<State>;
  /** A time such as `2.5s`, an event such as `e1200`, or µs. */
  seek(moment: string | number): Promise<State>;
  load(what: Load): Promise<State>;
  /** A JSON Patch (RFC 6902) of the scenario. */
  patch(patch: object[] | string): Promise<State>;
  /** An entry of a script, without its time. */
  act(action: object | string): Promise<State>;
  /** The run in a format that `quorumscope export` knows. */
  export(format: string): Promise<string>;
  state(): Promise<WholeState>;
  on<T extends Message["type"]>(type: T, listener: (message: Extract<Message, { type: T }>) => void): () => void;
  on(type: "*", listener: (message: Message) => void): () => void;
  finalize(): void;
}

declare global {
  const Quorumscope: { embed(element: Element, options?: EmbedOptions): Scope };
  interface HTMLElementTagNameMap {
    "quorum-scope": HTMLElement & { scope?: Scope };
  }
}

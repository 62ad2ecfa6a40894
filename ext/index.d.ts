/** Options; each is also an environment variable, see the README. */
export interface Options {
  /** Count and time HTTP requests. Default true. */
  http?: boolean
  /** Report memory, garbage collection and the event loop. Default true. */
  runtime?: boolean
  /** Report exceptions. Default true. */
  exceptions?: boolean
  /** Seconds between reports, 1 to 60. Default 5. */
  interval?: number
  /** Distinct route names, 1 to 1000; further ones are "(other)". Default 100. */
  maxRoutes?: number
  /** Series (route, method and status class), 1 to 1500; further ones are "(other)". Default 200. */
  maxSeries?: number
  /** Requests of this many seconds or more are reported one by one, within limits. Default 0.2. */
  slow?: number
  /** Report the path (never the query) of slow and failed requests. Default false. */
  target?: boolean
  /** Send the last report when SIGINT or SIGTERM ends the process. Default true. */
  signals?: boolean
  /** "auto": PM2's bus, or the agent's socket where the bus cannot be used. Default "auto". */
  transport?: 'auto' | 'bus' | 'socket'
}

export interface Status {
  active: boolean
  /** Why it is not active. */
  reason: string | null
  transport: 'bus' | 'socket' | null
  /** Parts that failed and are off, with their number of failures. */
  failures: Record<string, number>
}

/** Starts the extension, or changes the options of the one that a preload started. Returns whether it works in this process. Throws a TypeError that names a wrong option. */
export function init(options?: Options): boolean
/** Reports an error that the app dealt with. */
export function notifyError(err: unknown, context?: Record<string, unknown>): void
/** Reports that something happened in the app. */
export function event(name: string, data?: Record<string, unknown>): void
/** Does nothing but pass on: requests are seen without it. */
export function middleware(req: unknown, res: unknown, next: (err?: unknown) => void): void
export function status(): Status
export const version: string

declare const ext: {
  init: typeof init
  notifyError: typeof notifyError
  event: typeof event
  middleware: typeof middleware
  status: typeof status
  version: string
}
export default ext

import NIOCore
import Synchronization

/// Pages of the gallery as they were last sent: a page that is scrolled through or asked for by many is
/// put together once. Every change of the pictures forgets all of them.
final class PageCache: Sendable {
  private struct State {
    var changes = 0
    var pages: [Store.PictureQuery: ByteBuffer] = [:]
  }

  private let state = Mutex(State())
  private let limit = 64

  /// The page of a query: the one that is kept, or what `make` gives.
  func page(
    _ query: Store.PictureQuery, _ make: () async throws -> ByteBuffer
  ) async throws -> ByteBuffer {
    let (known, changes) = state.withLock { ($0.pages[query], $0.changes) }
    if let known { return known }
    let made = try await make()
    state.withLock { state in
      // What changed meanwhile may not be in it.
      guard state.changes == changes else { return }
      if state.pages.count >= limit { state.pages = [:] }
      state.pages[query] = made
    }
    return made
  }

  /// Forgets all pages; to be called after a change is written.
  func forget() {
    state.withLock { state in
      state.changes += 1
      state.pages = [:]
    }
  }
}

/// What a test waited for in vain.
public struct NeverCame: Error, CustomStringConvertible {
  /// What was waited for, and how long.
  public let description: String

  /// Waited for in vain, as `description` tells.
  public init(description: String) { self.description = description }
}

/// Waits until something holds.
/// - Parameters:
///   - what: for the message of a test that waits in vain.
///   - limit: how long at most; far more than a busy machine needs.
///   - isThere: asked again and again.
/// - Throws: `NeverCame`, and what `isThere` throws.
public func wait(
  for what: @autoclosure () -> String, atMost limit: Duration = .seconds(600),
  until isThere: () async throws -> Bool
) async throws {
  let clock = ContinuousClock()
  let end = clock.now + limit
  while try await !isThere() {
    guard clock.now < end else {
      throw NeverCame(description: "waited \(limit) for \(what()), in vain")
    }
    try await clock.sleep(for: .milliseconds(2))
  }
}

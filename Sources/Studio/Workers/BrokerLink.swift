import Foundation
import Synchronization

/// The broker, as the workers of a program reach it together.
public final class BrokerLink: Sendable {
  private let address: NATSAddress
  private let name: String
  private let thread = WaitingThread("link")

  private struct State {
    var stream: JetStream?
    var listeners: [String: @Sendable (Data) -> Void] = [:]
  }

  private let state = Mutex(State())

  /// - Parameter name: what the broker lists the program as.
  public init(_ address: NATSAddress, name: String) { (self.address, self.name) = (address, name) }

  /// JetStream on a connection that is made where there is none.
  func stream() async throws -> JetStream {
    try await thread { [self] in
      if let known = state.withLock({ $0.stream }), !known.connection.isClosed { return known }
      let made = try JetStream(NATSConnection(address, name: name))
      let listeners = state.withLock { state in
        state.stream = made
        return state.listeners
      }
      for (subject, take) in listeners { try made.connection.subscribe(to: subject, take) }
      return made
    }
  }

  /// Takes what comes on a subject, also on later connections.
  func listen(to subject: String, _ take: @escaping @Sendable (Data) -> Void) async throws {
    let isKnown = state.withLock { $0.listeners.updateValue(take, forKey: subject) != nil }
    let known = state.withLock { $0.stream }
    guard !isKnown, let known else { return }
    try await thread { try known.connection.subscribe(to: subject, take) }
  }

  /// Says something to whoever listens; what is said while the broker is away is lost.
  func publish(_ data: Data, to subject: String) throws {
    try state.withLock { $0.stream }?.connection.publish(data, to: subject)
  }
}

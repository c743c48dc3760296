import ArgumentParser
import Foundation
import Studio

/// How the broker of jobs is reached.
struct BrokerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The server of NATS through which jobs are handed out, as nats://host:4222 or tls://host:4222 "
        + "(default: REVERIE_QUEUE, if set).", valueName: "address"))
  var queue: String?

  @Option(
    help: ArgumentHelp(
      "A file of credentials for it (.creds); a token, or user and password, stand before the host's "
        + "name otherwise: nats://token@host.", valueName: "file"))
  var queueCredentials: String?

  @Option(
    help: ArgumentHelp(
      "A file with certificates of authorities, where servers have certificates of your own.",
      valueName: "file"))
  var ca: String?

  /// The server; nil where there is none.
  var address: NATSAddress? {
    let given = queue ?? ProcessInfo.processInfo.environment["REVERIE_QUEUE"]
    return given.flatMap {
      $0.isEmpty ? nil : NATSAddress($0, credentials: queueCredentials, authorities: ca)
    }
  }

  func validate() throws {
    if let objection = address?.objection { throw ValidationError("--queue \(objection).") }
    for file in [queueCredentials, ca].compactMap(\.self)
    where !FileManager.default.isReadableFile(atPath: file) {
      throw ValidationError("The file \(file) cannot be read.")
    }
  }
}

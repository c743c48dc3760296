import CNATS
import Foundation
import Synchronization

/// A server of NATS: where it is, and how one proves to it who one is.
public struct NATSAddress: Sendable {
  /// `nats://host:4222` or `tls://host:4222`; several by commas. A word before `@` is a token, or user and
  /// password.
  public var url: String
  /// A file of credentials (`.creds`), as NATS' own tools write them.
  public var credentials: String?
  /// A file with the certificates of authorities that vouch for the server, beside the system's own.
  public var authorities: String?

  /// - Parameters: see the fields.
  public init(_ url: String, credentials: String? = nil, authorities: String? = nil) {
    (self.url, self.credentials, self.authorities) = (url, credentials, authorities)
  }

  /// The address without what is secret in it, for logs and messages.
  public var shown: String {
    url.split(separator: ",").map { part in
      guard let at = part.lastIndex(of: "@") else { return String(part) }
      let scheme = part.range(of: "://").map { part[..<$0.upperBound] } ?? ""
      return String(scheme + part[part.index(after: at)...])
    }.joined(separator: ",")
  }

  /// What is wrong with the address; nil where it may be one.
  public var objection: String? {
    for part in url.split(separator: ",", omittingEmptySubsequences: false) {
      guard let found = URL(string: part.trimmingCharacters(in: .whitespaces)),
        ["nats", "tls"].contains(found.scheme), let host = found.host(), !host.isEmpty
      else { return "must be nats://HOST:4222, or tls://HOST:4222, not \(shown.prefix(80))" }
    }
    return nil
  }
}

/// What went wrong between this program and a server of NATS.
struct NATSError: Error, CustomStringConvertible {
  /// In the library's words.
  let reason: String
  /// What was being done.
  let action: String
  let status: natsStatus

  var description: String { "NATS: \(action) failed: \(reason)" }

  /// Whether the server, or its certificate, is there and this program may not or will not go on: waiting does
  /// not help.
  var isRefusal: Bool {
    [NATS_CONNECTION_AUTH_FAILED, NATS_NOT_PERMITTED, NATS_SSL_ERROR].contains(status)
  }

  /// Throws what a call of the library complains about.
  static func check(
    _ status: natsStatus, _ action: @autoclosure () -> String, code: jsErrCode? = nil
  ) throws {
    guard status != NATS_OK else { return }
    var last = NATS_OK
    let detail = nats_GetLastError(&last).map { String(cString: $0) } ?? ""
    let text = natsStatus_GetText(status).map { String(cString: $0) } ?? "\(status.rawValue)"
    // What the library remembers may be of an earlier call.
    let isOfThis = last == status && !detail.isEmpty
    let number = code.flatMap { $0.rawValue == 0 ? nil : " (JetStream \($0.rawValue))" } ?? ""
    throw NATSError(
      reason: (isOfThis ? "\(text): \(detail)" : text) + number, action: action(), status: status)
  }
}

/// A connection to NATS. Once made it comes back by itself whenever the server does.
///
/// All calls wait for the server and belong on a thread that may (`WaitingThread`), but `publish`, which does
/// not wait. The library's handles may be used from all threads.
final class NATSConnection: @unchecked Sendable {
  fileprivate let handle: OpaquePointer
  private let subscriptions = Mutex<[Subscription]>([])

  private struct Subscription: @unchecked Sendable {
    let handle: OpaquePointer
    let context: Unmanaged<Receiver>
  }

  private final class Receiver: Sendable {
    let take: @Sendable (Data) -> Void

    init(_ take: @escaping @Sendable (Data) -> Void) { self.take = take }
  }

  /// - Parameter name: what the server lists it as.
  /// - Throws: `NATSError` where there is no server, or one that does not let this program in.
  init(_ address: NATSAddress, name: String) throws {
    var options: OpaquePointer?
    try NATSError.check(natsOptions_Create(&options), "setting up")
    defer { natsOptions_Destroy(options) }
    let urls = address.url.split(separator: ",").map {
      strdup($0.trimmingCharacters(in: .whitespaces))
    }
    defer { for url in urls { free(url) } }
    var servers = urls.map { UnsafePointer<CChar>($0) }
    try NATSError.check(
      natsOptions_SetServers(options, &servers, Int32(servers.count)),
      "reading the address \(address.shown)")
    natsOptions_SetName(options, name)
    natsOptions_SetTimeout(options, 5_000)
    natsOptions_SetAllowReconnect(options, true)
    natsOptions_SetMaxReconnect(options, .max)
    natsOptions_SetReconnectWait(options, 500)
    // A server that has gone without a word is missed after twenty seconds.
    natsOptions_SetPingInterval(options, 10_000)
    natsOptions_SetMaxPingsOut(options, 2)
    // What waited for a server to come back is old: little of it is kept.
    natsOptions_SetReconnectBufSize(options, 1 << 16)
    if address.url.contains("tls://") { natsOptions_SetSecure(options, true) }
    if let file = address.authorities {
      try NATSError.check(
        natsOptions_LoadCATrustedCertificates(options, file), "reading \(file)")
    }
    if let file = address.credentials {
      try NATSError.check(
        natsOptions_SetUserCredentialsFromFiles(options, file, nil), "reading \(file)")
    }
    var connection: OpaquePointer?
    try NATSError.check(
      natsConnection_Connect(&connection, options), "connecting to \(address.shown)")
    guard let connection else {
      throw NATSError(reason: "no connection", action: "connecting", status: NATS_ERR)
    }
    handle = connection
  }

  deinit { close() }

  /// Whether it is up.
  var isConnected: Bool { natsConnection_Status(handle) == NATS_CONN_STATUS_CONNECTED }

  /// Whether it is over for good: the server has shut it out.
  var isClosed: Bool { natsConnection_IsClosed(handle) }

  /// Sends a message to whoever listens; while the server is away it is lost.
  func publish(_ data: Data, to subject: String) throws {
    try data.withUnsafeBytes {
      try NATSError.check(
        natsConnection_Publish(handle, subject, $0.baseAddress, Int32(clamping: $0.count)),
        "sending to \(subject)")
    }
  }

  /// Takes messages as they come, on a thread of the library's own.
  func subscribe(to subject: String, _ take: @escaping @Sendable (Data) -> Void) throws {
    let context = Unmanaged.passRetained(Receiver(take))
    var subscription: OpaquePointer?
    let status = natsConnection_Subscribe(
      &subscription, handle, subject,
      { _, _, message, context in
        defer { natsMsg_Destroy(message) }
        guard let context, let message else { return }
        let receiver = Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
        receiver.take(natsMessageData(message))
      }, context.toOpaque())
    guard status == NATS_OK, let subscription else {
      context.release()
      return try NATSError.check(status, "listening to \(subject)")
    }
    subscriptions.withLock { $0.append(.init(handle: subscription, context: context)) }
  }

  /// Waits until the server has all that was sent.
  func flush() throws {
    try NATSError.check(natsConnection_FlushTimeout(handle, 5_000), "flushing")
  }

  private func close() {
    // No message is on its way to a receiver once the connection is gone.
    natsConnection_Close(handle)
    let all = subscriptions.withLock { subscriptions in
      defer { subscriptions = [] }
      return subscriptions
    }
    for subscription in all {
      natsSubscription_Destroy(subscription.handle)
      subscription.context.release()
    }
    natsConnection_Destroy(handle)
  }
}

/// The bytes of a message of the library's.
func natsMessageData(_ message: OpaquePointer) -> Data {
  let count = Int(natsMsg_GetDataLength(message))
  guard count > 0, let bytes = natsMsg_GetData(message) else { return Data() }
  return Data(bytes: bytes, count: count)
}

/// JetStream, the durable part of NATS: streams of messages on the server's disk, and consumers that hand
/// them out on leases.
final class JetStream: @unchecked Sendable {
  let connection: NATSConnection
  fileprivate let handle: OpaquePointer

  init(_ connection: NATSConnection) throws {
    self.connection = connection
    var context: OpaquePointer?
    try NATSError.check(natsConnection_JetStream(&context, connection.handle, nil), "JetStream")
    guard let context else {
      throw NATSError(reason: "there is none", action: "JetStream", status: NATS_ERR)
    }
    handle = context
  }

  deinit { jsCtx_Destroy(handle) }

  /// Makes a stream from which each message is taken once, or leaves it as it is.
  func makeStream(_ name: String, subject: String) throws {
    try withStrings([name, subject]) { strings in
      var config = jsStreamConfig()
      jsStreamConfig_Init(&config)
      config.Name = strings[0]
      var subjects: [UnsafePointer<CChar>?] = [strings[1]]
      config.Retention = js_WorkQueuePolicy
      config.Storage = js_FileStorage
      config.Discard = js_DiscardNew
      try subjects.withUnsafeMutableBufferPointer { buffer in
        config.Subjects = buffer.baseAddress
        config.SubjectsLen = 1
        var code = jsErrCode(0)
        let status = js_AddStream(nil, handle, &config, nil, &code)
        if code == JSStreamNameExistErr { return }
        try NATSError.check(status, "making the stream \(name)", code: code)
      }
    }
  }

  /// Makes a consumer that hands a stream's messages of one subject to whoever pulls, each on a lease of so
  /// many seconds; or leaves it as it is.
  func makeConsumer(_ name: String, of stream: String, subject: String, lease: Double) throws {
    try withStrings([name, subject]) { strings in
      var config = jsConsumerConfig()
      jsConsumerConfig_Init(&config)
      config.Durable = strings[0]
      config.FilterSubject = strings[1]
      config.AckPolicy = js_AckExplicit
      config.AckWait = Int64(lease * 1e9)
      config.MaxDeliver = -1
      config.MaxAckPending = -1
      config.MaxWaiting = 10_000
      var code = jsErrCode(0)
      let status = js_AddConsumer(nil, handle, stream, &config, nil, &code)
      // The same one is answered with itself; one with another lease is changed.
      if code == JSConsumerNameExistErr || code == JSConsumerExistingActiveErr {
        try NATSError.check(
          js_UpdateConsumer(nil, handle, stream, &config, nil, &code),
          "changing the consumer \(name)", code: code)
      } else {
        try NATSError.check(status, "making the consumer \(name)", code: code)
      }
    }
  }

  /// How many messages a stream holds of each subject, taken but not acknowledged ones with them.
  func counts(of stream: String, subject: String) throws -> [String: Int] {
    try withStrings([subject]) { strings in
      var options = jsOptions()
      jsOptions_Init(&options)
      options.Stream.Info.SubjectsFilter = strings[0]
      var info: UnsafeMutablePointer<jsStreamInfo>?
      var code = jsErrCode(0)
      try NATSError.check(
        js_GetStreamInfo(&info, handle, stream, &options, &code), "asking for \(stream)", code: code
      )
      defer { jsStreamInfo_Destroy(info) }
      guard let subjects = info?.pointee.State.Subjects else { return [:] }
      var counts: [String: Int] = [:]
      for place in 0..<Int(subjects.pointee.Count) {
        let found = subjects.pointee.List[place]
        if let name = found.Subject { counts[String(cString: name)] = Int(clamping: found.Msgs) }
      }
      return counts
    }
  }

  /// Writes a message down; when this returns, it is on the server's disk.
  /// - Parameter id: of two with one name within two minutes the second is left out.
  func publish(_ data: Data, to subject: String, id: String) throws {
    try withStrings([id]) { strings in
      var options = jsPubOptions()
      jsPubOptions_Init(&options)
      options.MsgId = strings[0]
      var code = jsErrCode(0)
      try data.withUnsafeBytes { bytes in
        try NATSError.check(
          js_Publish(
            nil, handle, subject, bytes.baseAddress, Int32(clamping: bytes.count), &options, &code),
          "publishing to \(subject)", code: code)
      }
    }
  }

  /// Pulls from a consumer.
  func pull(from consumer: String, of stream: String, subject: String) throws -> JetStreamPull {
    try withStrings([stream, consumer]) { strings in
      var options = jsSubOptions()
      jsSubOptions_Init(&options)
      options.Stream = strings[0]
      options.Consumer = strings[1]
      options.ManualAck = true
      var subscription: OpaquePointer?
      var code = jsErrCode(0)
      try NATSError.check(
        js_PullSubscribe(&subscription, handle, subject, consumer, nil, &options, &code),
        "pulling from \(consumer)", code: code)
      guard let subscription else {
        throw NATSError(reason: "no subscription", action: "pulling", status: NATS_ERR)
      }
      return JetStreamPull(handle: subscription, stream: self)
    }
  }

  private func withStrings<Result>(
    _ strings: [String], _ body: ([UnsafePointer<CChar>?]) throws -> Result
  ) rethrows -> Result {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return try body(copies.map { UnsafePointer($0) })
  }
}

/// A subscription that asks for messages one by one.
final class JetStreamPull: @unchecked Sendable {
  private let handle: OpaquePointer
  private let stream: JetStream

  fileprivate init(handle: OpaquePointer, stream: JetStream) {
    (self.handle, self.stream) = (handle, stream)
  }

  deinit { natsSubscription_Destroy(handle) }

  /// The next message; nil where none comes within so many seconds.
  func next(within seconds: Double) throws -> Delivery? {
    var list = natsMsgList()
    var code = jsErrCode(0)
    let status = natsSubscription_Fetch(
      &list, handle, 1, max(1, Int64(seconds * 1_000)), &code)
    defer { natsMsgList_Destroy(&list) }
    if status == NATS_TIMEOUT { return nil }
    try NATSError.check(status, "waiting for a job", code: code)
    guard list.Count > 0, let message = list.Msgs[0] else { return nil }
    // The list no longer owns it.
    list.Msgs[0] = nil
    return Delivery(message, of: self)
  }
}

/// A message that was handed out on a lease.
final class Delivery: @unchecked Sendable {
  private let handle: OpaquePointer
  // The library looks at a message's subscription when it is acknowledged.
  private let pull: JetStreamPull
  /// What it says.
  let data: Data
  /// How often it was handed out, this time with it.
  let number: Int

  fileprivate init(_ message: OpaquePointer, of pull: JetStreamPull) {
    handle = message
    self.pull = pull
    data = natsMessageData(message)
    var meta: UnsafeMutablePointer<jsMsgMetaData>?
    let status = natsMsg_GetMetaData(&meta, message)
    number = status == NATS_OK ? Int(clamping: meta?.pointee.NumDelivered ?? 1) : 1
    jsMsgMetaData_Destroy(meta)
  }

  deinit { natsMsg_Destroy(handle) }

  /// Prolongs the lease.
  func prolong() throws { try NATSError.check(natsMsg_InProgress(handle, nil), "prolonging") }

  /// The message is done with, for good.
  func acknowledge() throws { try NATSError.check(natsMsg_Ack(handle, nil), "acknowledging") }

  /// The message is to be handed to somebody, after so many seconds.
  func giveBack(after seconds: Double = 0) throws {
    try NATSError.check(
      natsMsg_NakWithDelay(handle, Int64(seconds * 1_000), nil), "giving a job back")
  }
}

/// Runs calls that wait, one after the other, on a thread of its own: Swift's are few, and must not wait.
final class WaitingThread: Sendable {
  private let queue: DispatchQueue

  init(_ name: String) { queue = DispatchQueue(label: "reverie.\(name)") }

  /// What a call gives.
  func callAsFunction<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try body() }) }
    }
  }
}

import CCurl
import Foundation
import Synchronization

/// One GET by libcurl. It follows redirections, and leaves the token behind where they lead to another
/// host; proxies are those of the environment (`https_proxy`, `no_proxy`).
struct Transfer: Sendable {
  /// Where it begins.
  let address: String
  /// Sent to that host alone.
  var token: String?
  /// Bytes that are there and need not come.
  var start = 0
  /// Seconds without a byte after which the connection is given up.
  var patience = 60

  /// What stands before an answer's bytes.
  struct Head: Sendable {
    /// Of HTTP.
    var status = 0
    /// Which bytes of the whole come, where the server says so.
    var contentRange: String?
    /// Bytes that come, where the server says so.
    var contentLength: Int?
    /// What comes: "text/html", in small letters, without parameters.
    var contentType: String?
  }

  /// Why there is no answer, or not all of it.
  struct Failure: Error, CustomStringConvertible {
    /// In libcurl's words.
    let description: String
    /// Whether an answer had begun.
    let isCut: Bool
  }

  /// Asks, and waits for the end of the answer.
  ///
  /// - Parameter receive: called with the answer's bytes as they come, on a thread of the transfer's own;
  ///   what it throws ends the transfer.
  /// - Throws: `Failure`, `CancellationError`, and what `receive` throws.
  func run(
    _ receive: @escaping @Sendable (Head, UnsafeRawBufferPointer) throws -> Void
  ) async throws -> Head {
    let cancellation = Cancellation()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
          continuation.resume(with: Result { try perform(cancellation, receive) })
        }
      }
    } onCancel: {
      cancellation.happened.store(true, ordering: .relaxed)
    }
  }

  private final class Cancellation: Sendable {
    let happened = Atomic(false)
  }

  /// libcurl is set up once, before any thread uses it.
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  private func perform(
    _ cancellation: Cancellation,
    _ receive: @escaping (Head, UnsafeRawBufferPointer) throws -> Void
  ) throws -> Head {
    guard Self.isReady, let handle = curl_easy_init() else {
      throw Failure(description: "libcurl cannot be set up", isCut: false)
    }
    defer { curl_easy_cleanup(handle) }
    let fields = token.flatMap { curl_slist_append(nil, "Authorization: Bearer \($0)") }
    defer { curl_slist_free_all(fields) }
    let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    defer { reason.deallocate() }
    let course = Course(cancellation, patience: .seconds(patience), receive)
    let context = Unmanaged.passUnretained(course).toOpaque()

    curl_set_text(handle, CURLOPT_URL, address)
    curl_set_text(handle, CURLOPT_USERAGENT, "reverie")
    curl_set_pointer(handle, CURLOPT_HTTPHEADER, fields)
    if start > 0 { curl_set_text(handle, CURLOPT_RANGE, "\(start)-") }
    curl_set_number(handle, CURLOPT_PROTOCOLS, Int(CURLPROTO_HTTP | CURLPROTO_HTTPS))
    curl_set_number(handle, CURLOPT_FOLLOWLOCATION, 1)
    curl_set_number(handle, CURLOPT_MAXREDIRS, 8)
    curl_set_number(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, 15)
    // Signals are of no use with threads.
    curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
    curl_set_number(handle, CURLOPT_BUFFERSIZE, 1 << 18)
    curl_set_pointer(handle, CURLOPT_ERRORBUFFER, reason)
    curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
    curl_set_sink(handle, CURLOPT_HEADERFUNCTION) { bytes, _, count, context in
      Course.of(context)?.head(UnsafeRawBufferPointer(start: bytes, count: count))
      return count
    }
    curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
    curl_set_sink(handle, CURLOPT_WRITEFUNCTION) { bytes, _, count, context in
      Course.of(context)?.body(UnsafeRawBufferPointer(start: bytes, count: count)) == true
        ? count : 0
    }
    curl_set_number(handle, CURLOPT_NOPROGRESS, 0)
    curl_set_pointer(handle, CURLOPT_XFERINFODATA, context)
    // Asked once a second at least.
    curl_set_watch(handle) { context, _, _, _, _ in Course.of(context)?.goesOn == true ? 0 : 1 }

    let code = withExtendedLifetime(course) { curl_easy_perform(handle) }
    if let error = course.error { throw error }
    guard !cancellation.happened.load(ordering: .relaxed) else { throw CancellationError() }
    guard code == CURLE_OK else {
      let words =
        course.isSilent
        ? "nothing came for \(patience) seconds"
        : reason[0] == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: reason)
      throw Failure(description: words, isCut: (200..<300).contains(course.head.status))
    }
    return course.head
  }

  /// What is known of an answer while it comes.
  private final class Course {
    private(set) var head = Head()
    private(set) var error: (any Error)?
    private let cancellation: Cancellation
    private let patience: Duration
    private let receive: (Head, UnsafeRawBufferPointer) throws -> Void
    private var lastByte = ContinuousClock.now

    init(
      _ cancellation: Cancellation, patience: Duration,
      _ receive: @escaping (Head, UnsafeRawBufferPointer) throws -> Void
    ) {
      self.cancellation = cancellation
      self.patience = patience
      self.receive = receive
    }

    static func of(_ context: UnsafeMutableRawPointer?) -> Course? {
      context.map { Unmanaged<Course>.fromOpaque($0).takeUnretainedValue() }
    }

    var isSilent: Bool { .now - lastByte > patience }
    var goesOn: Bool { !isSilent && !cancellation.happened.load(ordering: .relaxed) }

    /// Takes a line of the head; a redirection's head goes before the answer's.
    func head(_ line: UnsafeRawBufferPointer) {
      lastByte = .now
      let text = String(decoding: line, as: UTF8.self)
      if text.hasPrefix("HTTP/") {
        head = Head(status: text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
      } else if let colon = text.firstIndex(of: ":") {
        let value = text[text.index(after: colon)...].trimmingCharacters(
          in: .whitespacesAndNewlines)
        switch text[..<colon].lowercased() {
        case "content-range": head.contentRange = value
        case "content-length": head.contentLength = Int(value)
        case "content-type":
          head.contentType = value.prefix { $0 != ";" }.lowercased()
            .trimmingCharacters(in: .whitespaces)
        default: break
        }
      }
    }

    /// Takes bytes; returns whether more are wanted.
    func body(_ bytes: UnsafeRawBufferPointer) -> Bool {
      lastByte = .now
      do {
        try receive(head, bytes)
        return true
      } catch {
        self.error = error
        return false
      }
    }
  }
}

import CCurl
import Foundation
import Painting

/// Asks a studio over HTTP, by libcurl, with one connection that stays open.
///
/// Calls wait and belong on a thread that may (`WaitingThread`), one at a time.
final class StudioClient: @unchecked Sendable {
  /// What was answered.
  struct Answer: Sendable {
    let status: Int
    let body: Data

    /// What a studio says is wrong.
    var detail: String {
      if case .object(let fields) = JSONValue(text: String(decoding: body, as: UTF8.self)),
        case .string(let detail) = fields["detail"]
      {
        return detail
      }
      return "the answer is \(status)"
    }
  }

  /// There was no answer.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let base: String
  private let token: String?
  private let authorities: String?
  private let handle: UnsafeMutableRawPointer

  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// - Parameters:
  ///   - base: `https://studio:7860`.
  ///   - token: the studio's.
  ///   - authorities: a file with the certificates of authorities that vouch for it; nil is the system's.
  init(_ base: String, token: String?, authorities: String? = nil) throws {
    self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
    self.token = token
    self.authorities = authorities
    guard Self.isReady, let handle = curl_easy_init() else {
      throw Failure(description: "libcurl cannot be set up")
    }
    self.handle = handle
  }

  deinit { curl_easy_cleanup(handle) }

  /// Asks for something.
  func get(_ path: String, lease: Lease? = nil) throws -> Answer {
    try ask(path, lease) { _ in }
  }

  /// Hands in JSON.
  func post(_ path: String, _ value: some Encodable, lease: Lease? = nil) throws -> Answer {
    let body = try JSONEncoder().encode(value)
    return try body.withUnsafeBytes { bytes in
      try ask(path, lease, type: "application/json") { handle in
        curl_set_number(handle, CURLOPT_POST, 1)
        curl_set_number(handle, CURLOPT_POSTFIELDSIZE_LARGE, bytes.count)
        curl_set_pointer(
          handle, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
      }
    }
  }

  /// Hands in a file.
  func put(_ path: String, _ file: URL, lease: Lease) throws -> Answer {
    guard let source = fopen(file.path, "r") else {
      throw Failure(description: "\(file.path) cannot be read")
    }
    defer { fclose(source) }
    fseek(source, 0, SEEK_END)
    let size = ftell(source)
    rewind(source)
    return try ask(path, lease, type: "application/octet-stream") { handle in
      curl_set_number(handle, CURLOPT_UPLOAD, 1)
      curl_set_number(handle, CURLOPT_INFILESIZE_LARGE, size)
      curl_set_pointer(handle, CURLOPT_READDATA, source)
    }
  }

  /// Fetches a file, which is there whole or not at all.
  func fetch(_ path: String, to file: URL, lease: Lease?) throws -> Answer {
    let part = file.deletingLastPathComponent().appending(path: ".\(file.lastPathComponent).part")
    guard let sink = fopen(part.path, "w") else {
      throw Failure(description: "\(part.path) cannot be written")
    }
    defer { try? FileManager.default.removeItem(at: part) }
    let answer: Answer
    do {
      defer { fclose(sink) }
      answer = try ask(path, lease, into: sink) { _ in }
    }
    if answer.status == 200, rename(part.path, file.path) != 0 {
      throw Failure(description: "\(file.path) cannot be written")
    }
    return answer
  }

  private func ask(
    _ path: String, _ lease: Lease?, type: String? = nil,
    into sink: UnsafeMutablePointer<FILE>? = nil,
    _ prepare: (UnsafeMutableRawPointer) -> Void
  ) throws -> Answer {
    curl_easy_reset(handle)
    var fields: UnsafeMutablePointer<curl_slist>?
    defer { curl_slist_free_all(fields) }
    func add(_ line: String) { fields = curl_slist_append(fields, line) }
    if let token { add("Authorization: Bearer \(token)") }
    if let lease { add("Reverie-Lease: \(lease.text)") }
    if let type { add("Content-Type: \(type)") }
    // The studio takes what comes: its leave is not waited for.
    add("Expect:")
    let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    defer { reason.deallocate() }
    var (bytes, count) = (nil as UnsafeMutablePointer<CChar>?, 0)
    let memory = open_memstream(&bytes, &count)
    defer { free(bytes) }
    curl_set_text(handle, CURLOPT_URL, base + path)
    curl_set_text(handle, CURLOPT_USERAGENT, "reverie-worker")
    curl_set_number(handle, CURLOPT_PROTOCOLS, Int(CURLPROTO_HTTP | CURLPROTO_HTTPS))
    curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, 10)
    curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
    curl_set_number(handle, CURLOPT_TCP_KEEPALIVE, 1)
    // Who is cut off finds out.
    curl_set_number(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
    curl_set_number(handle, CURLOPT_LOW_SPEED_TIME, 20)
    if let authorities { curl_set_text(handle, CURLOPT_CAINFO, authorities) }
    curl_set_pointer(handle, CURLOPT_HTTPHEADER, fields)
    curl_set_pointer(handle, CURLOPT_ERRORBUFFER, reason)
    curl_set_pointer(handle, CURLOPT_WRITEDATA, sink ?? memory)
    prepare(handle)
    let code = curl_easy_perform(handle)
    if let memory { fclose(memory) }
    curl_set_pointer(handle, CURLOPT_ERRORBUFFER, nil)
    guard code == CURLE_OK else {
      let words =
        reason[0] == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: reason)
      throw Failure(description: "\(base) cannot be reached: \(words)")
    }
    var status = 0
    curl_get_status(handle, &status)
    let body = bytes.map { Data(bytes: $0, count: count) } ?? Data()
    return Answer(status: status, body: body)
  }
}

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Fetches files over HTTP: resumes what was cut off, checks what came, and leaves a file only when it
/// is whole.
public struct Downloader: Sendable {
  /// Where unfinished downloads wait.
  fileprivate let folder: URL
  fileprivate let client: HTTPClient
  /// Tries without progress before giving up.
  private static let tries = 5

  /// Calls `body` with a downloader.
  /// - Parameters:
  ///   - folder: where unfinished downloads wait; made if need be.
  ///   - patience: seconds without a byte after which a connection is given up.
  public static func open<Result>(
    folder: URL, patience: Int64 = 60, _ body: (Downloader) async throws -> Result
  ) async throws -> Result {
    var configuration = HTTPClient.Configuration(
      timeout: .init(connect: .seconds(15), read: .seconds(patience)))
    configuration.redirectConfiguration = .follow(max: 8, allowCycles: false)
    return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
      try await body(Downloader(folder: folder, client: client))
    }
  }

  /// The whole of a small answer.
  /// - Throws: `StoreError.hub`.
  func data(_ address: String, token: String?, limit: Int = 64 << 20) async throws -> Data {
    for attempt in 1... {
      do {
        let response = try await get(address, token: token, from: 0)
        try check(response.status, address)
        var body = try await response.body.collect(upTo: limit)
        return Data(body.readBytes(length: body.readableBytes) ?? [])
      } catch let failure {
        try await rest(after: failure, attempt, address)
      }
    }
    throw CancellationError()
  }

  /// Fetches a file into `folder`.
  ///
  /// - Parameters:
  ///   - address: where it is.
  ///   - size: bytes that it must have, if that is known.
  ///   - hash: what its content must hash to, if that is known.
  ///   - progress: called with the bytes that are there.
  /// - Returns: where it lies; the caller moves it away.
  /// - Throws: `StoreError.hub`. A part that may be resumed stays; one that proved wrong does not.
  public func fetch(
    _ address: String, token: String? = nil, size: Int?, hash: Hub.Hash?,
    progress: @Sendable (Int) -> Void
  ) async throws -> URL {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let part = folder.appending(path: Checksum.sha256(of: "\(address) \(hash as Any)") + ".part")
    try checkSpace(size, for: part, address)
    var attempt = 1
    while true {
      let before = Self.size(of: part)
      do {
        if size == nil || before < size ?? 0 {
          try await append(address, token, to: part, expected: size, progress)
        }
        break
      } catch let failure {
        // What made progress has all its tries again.
        attempt = Self.size(of: part) > before ? 1 : attempt + 1
        try await rest(after: failure, attempt, address)
      }
    }
    let found = Self.size(of: part)
    if let size, found != size {
      try? FileManager.default.removeItem(at: part)
      throw StoreError.hub(
        address: address, reason: "\(found) bytes came where \(size) were announced; try again")
    }
    if let hash, try !hash.matches(part) {
      try? FileManager.default.removeItem(at: part)
      throw StoreError.hub(
        address: address,
        reason:
          "what came does not have the hash that was announced, and was thrown away; try again")
    }
    return part
  }

  // MARK: Requests

  private func get(_ address: String, token: String?, from start: Int) async throws
    -> HTTPClientResponse
  {
    var request = HTTPClientRequest(url: address)
    request.headers.add(name: "User-Agent", value: "reverie")
    // AsyncHTTPClient leaves this header behind when a redirection leads to another host.
    if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    if start > 0 { request.headers.add(name: "Range", value: "bytes=\(start)-") }
    return try await client.execute(request, timeout: .seconds(24 * 3600))
  }

  /// Asks for what is missing and writes it behind what is there.
  private func append(
    _ address: String, _ token: String?, to part: URL, expected: Int?,
    _ progress: @Sendable (Int) -> Void
  ) async throws {
    let start = Self.size(of: part)
    let response = try await get(address, token: token, from: start)
    if response.status == .rangeNotSatisfiable, start > 0 {
      // All of it is there, or it is another file by now: the size and the hash will tell.
      return
    }
    try check(response.status, address)
    let isContinued =
      response.status == .partialContent
      && response.headers.first(name: "Content-Range")?.hasPrefix("bytes \(start)-") == true
    guard let file = fopen(part.path, isContinued ? "ab" : "wb") else {
      throw WeightsError.file(path: part.path, reason: "cannot write the file")
    }
    defer { fclose(file) }
    var done = isContinued ? start : 0
    for try await chunk in response.body {
      let isWritten = chunk.withUnsafeReadableBytes {
        fwrite($0.baseAddress, 1, $0.count, file) == $0.count
      }
      guard isWritten else {
        throw WeightsError.file(
          path: part.path, reason: "cannot write the file (\(String(cString: strerror(errno))))")
      }
      done += chunk.readableBytes
      if let expected, done > expected {
        throw StoreError.hub(address: address, reason: "more bytes come than were announced")
      }
      progress(done)
    }
    if let expected, done < expected { throw Cut() }
  }

  /// The connection ended early.
  private struct Cut: Error {}

  private func check(_ status: HTTPResponseStatus, _ address: String) throws {
    switch status.code {
    case 200, 206: return
    case 401, 403:
      throw StoreError.hub(
        address: address,
        reason:
          "access is refused (\(status.code)). If the model asks for its terms to be accepted, "
          + "do so on its page, then set HF_TOKEN to a token of yours")
    case 404:
      throw StoreError.hub(address: address, reason: "there is nothing (404); check the name")
    case 429, 500...: throw Busy(status: status.code)
    default: throw StoreError.hub(address: address, reason: "the answer is \(status)")
    }
  }

  /// The server may answer later.
  private struct Busy: Error { let status: UInt }

  /// Waits before another try, or gives up.
  private func rest(after failure: any Error, _ attempt: Int, _ address: String) async throws {
    if failure is StoreError || failure is WeightsError || failure is CancellationError {
      throw failure
    }
    guard attempt < Self.tries else {
      let why =
        switch failure {
        case is Cut: "the connection breaks off again and again"
        case let busy as Busy: "the server answers \(busy.status) again and again"
        default: "the server cannot be reached (\(failure))"
        }
      throw StoreError.hub(address: address, reason: why + "; run the same command again to go on")
    }
    try await Task.sleep(for: .milliseconds(100 << min(attempt, 6)))
  }

  // MARK: Files

  private static func size(of url: URL) -> Int {
    (try? FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int) ?? 0
  }

  private func checkSpace(_ size: Int?, for part: URL, _ address: String) throws {
    guard let size,
      let free = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)[
        .systemFreeSize] as? Int
    else { return }
    let missing = size - Self.size(of: part)
    guard free > missing + 100_000_000 else {
      throw StoreError.hub(
        address: address,
        reason: "it takes \(missing / 1_000_000) MB more and \(free / 1_000_000) MB are free in "
          + "\(folder.path); make room, or set XDG_CACHE_HOME")
    }
  }
}

extension Hub.Hash {
  /// Whether a file has this hash.
  func matches(_ url: URL) throws -> Bool {
    switch self {
    case .sha256(let expected): try Checksum.sha256(of: url) == expected
    case .gitBlob(let expected): try Checksum.gitBlob(of: url) == expected
    }
  }
}

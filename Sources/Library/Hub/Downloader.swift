import Foundation
import Synchronization
import Weights

/// Fetches files over HTTP: resumes what was cut off, checks what came, and leaves a file only when it
/// is whole.
public struct Downloader: Sendable {
  /// Where unfinished downloads wait.
  private let folder: URL
  /// Seconds without a byte after which a connection is given up.
  private let patience: Int
  /// Called with what goes wrong before another try.
  private let waiting: @Sendable (String) -> Void
  /// Tries without progress before giving up.
  private static let tries = 5

  /// - Parameters:
  ///   - folder: where unfinished downloads wait; made if need be.
  ///   - patience: seconds without a byte after which a connection is given up.
  ///   - waiting: called with what goes wrong before another try.
  public init(
    folder: URL, patience: Int = 60, waiting: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.folder = folder
    self.patience = patience
    self.waiting = waiting
  }

  /// The whole of a small answer.
  /// - Throws: `StoreError.hub`.
  func data(_ address: String, token: String?, limit: Int = 64 << 20) async throws -> Data {
    for attempt in 1... {
      do {
        let answer = Mutex(Data())
        let transfer = Transfer(address: address, token: token, patience: patience)
        let head = try await transfer.run { _, bytes in
          try answer.withLock { answer in
            guard answer.count + bytes.count <= limit else {
              throw StoreError.hub(address: address, reason: "the answer is too long")
            }
            answer.append(contentsOf: bytes)
          }
        }
        try check(head.status, address)
        return answer.withLock { $0 }
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
    progress: @escaping @Sendable (Int) -> Void
  ) async throws -> URL {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let part = folder.appending(path: Checksum.sha256(of: "\(address) \(hash as Any)") + ".part")
    try checkSpace(size, for: part, address)
    var attempt = 0
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

  /// Asks for what is missing and writes it behind what is there.
  private func append(
    _ address: String, _ token: String?, to part: URL, expected: Int?,
    _ progress: @escaping @Sendable (Int) -> Void
  ) async throws {
    let start = Self.size(of: part)
    let file = Mutex<PartFile?>(nil)
    let transfer = Transfer(address: address, token: token, start: start, patience: patience)
    let head = try await transfer.run { head, bytes in
      // An error's page is no part of the file.
      guard Self.isGood(head.status) else { return }
      let done = try file.withLock { file in
        let isContinued =
          head.status == 206 && head.contentRange?.hasPrefix("bytes \(start)-") == true
        if file == nil {
          try Self.check(head, bytes, start: isContinued ? start : 0, expected, address)
          file = try PartFile(part, keeping: isContinued ? start : 0)
        }
        return try file?.append(bytes) ?? 0
      }
      if let expected, done > expected {
        throw StoreError.hub(address: address, reason: "more bytes come than were announced")
      }
      progress(done)
    }
    // All of it is there, or it is another file by now: the size and the hash will tell.
    if head.status == 416, start > 0 { return }
    try check(head.status, address)
    if let expected, Self.size(of: part) < expected {
      throw Transfer.Failure(description: "the answer is too short", isCut: true)
    }
  }

  /// Refuses the pages of networks that want to be logged in to, which come in place of anything: nothing
  /// of them may be kept and gone on with.
  private static func check(
    _ head: Transfer.Head, _ bytes: UnsafeRawBufferPointer, start: Int, _ expected: Int?,
    _ address: String
  ) throws {
    let isPage =
      head.contentType == "text/html" || bytes.starts(with: "<!DOCTYPE html".utf8)
      || bytes.starts(with: "<!doctype html".utf8) || bytes.starts(with: "<html".utf8)
    let isOther =
      expected.flatMap { whole in head.contentLength.map { $0 != whole - start } } ?? false
    guard isPage || isOther else { return }
    let found = isPage ? "a web page" : "\(head.contentLength ?? 0) bytes"
    let wanted = expected.map { "\($0 - start) bytes" } ?? "the file"
    throw StoreError.hub(
      address: address,
      reason:
        "\(found) came where \(wanted) were expected; nothing of it was kept. Does this network, "
        + "or a proxy, want you to log in? Try again when it is open")
  }

  private static func isGood(_ status: Int) -> Bool { status == 200 || status == 206 }

  private func check(_ status: Int, _ address: String) throws {
    switch status {
    case 200, 206: return
    case 401, 403:
      throw StoreError.hub(
        address: address,
        reason:
          "access is refused (\(status)). If the model asks for its terms to be accepted, "
          + "do so on its page, then set HF_TOKEN to a token of yours")
    case 404:
      throw StoreError.hub(address: address, reason: "there is nothing (404); check the name")
    case 429, 500...: throw Busy(status: status)
    default: throw StoreError.hub(address: address, reason: "the answer is \(status)")
    }
  }

  /// The server may answer later.
  private struct Busy: Error { let status: Int }

  /// Waits before another try, or gives up.
  private func rest(after failure: any Error, _ attempt: Int, _ address: String) async throws {
    let why: String
    switch failure {
    case let cut as Transfer.Failure where cut.isCut:
      why = "the connection breaks off again and again (\(cut))"
    case let none as Transfer.Failure: why = "the server cannot be reached (\(none))"
    case let busy as Busy: why = "the server answers \(busy.status) again and again"
    default: throw failure
    }
    guard attempt < Self.tries else {
      throw StoreError.hub(address: address, reason: why + "; run the same command again to go on")
    }
    waiting("\(why); trying again, \(attempt + 1) of \(Self.tries)")
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

/// The part of a file that is there, open to grow at its end.
private struct PartFile: ~Copyable {
  private let url: URL
  private let descriptor: Int32
  private var size: Int

  /// - Parameter count: bytes of the file to keep; those after them are dropped.
  init(_ url: URL, keeping count: Int) throws {
    let descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0, ftruncate(descriptor, off_t(count)) == 0 else {
      throw Self.failure(url)
    }
    self.url = url
    self.descriptor = descriptor
    size = count
  }

  deinit { close(descriptor) }

  /// Writes behind what is there; returns the bytes that there are.
  mutating func append(_ bytes: UnsafeRawBufferPointer) throws -> Int {
    var rest = bytes
    while !rest.isEmpty {
      let count = write(descriptor, rest.baseAddress, rest.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(url) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    size += bytes.count
    return size
  }

  private static func failure(_ url: URL) -> WeightsError {
    .file(path: url.path, reason: "cannot write the file (\(String(cString: strerror(errno))))")
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

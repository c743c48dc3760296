import Crypto
import Foundation

/// SHA-256 of files.
public enum Checksum {
  /// The SHA-256 of the file at `url`, as 64 lower-case hexadecimal digits. Read in pieces, so that
  /// a file larger than memory is no trouble.
  public static func sha256(of url: URL) throws -> String {
    var hash = SHA256()
    try read(url) { hash.update(bufferPointer: $0) }
    return hexadecimal(hash.finalize())
  }

  /// The SHA-256 of a text's UTF-8.
  public static func sha256(of text: String) -> String {
    hexadecimal(SHA256.hash(data: Array(text.utf8)))
  }

  /// The SHA-1 by which git knows the contents of the file at `url`.
  static func gitBlob(of url: URL) throws -> String {
    let size =
      try FileManager.default.attributesOfItem(
        atPath: url.resolvingSymlinksInPath().path)[.size] as? Int
    var hash = Insecure.SHA1()
    hash.update(data: Array("blob \(size ?? 0)\0".utf8))
    try read(url) { hash.update(bufferPointer: $0) }
    return hexadecimal(hash.finalize())
  }

  /// Calls `body` with the file's bytes in pieces.
  private static func read(_ url: URL, _ body: (UnsafeRawBufferPointer) -> Void) throws {
    func failure() -> WeightsError {
      .file(path: url.path, reason: "cannot read the file (\(String(cString: strerror(errno))))")
    }
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { piece.deallocate() }
    while true {
      let count = Foundation.read(descriptor, piece.baseAddress, piece.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure() }
      guard count > 0 else { return }
      body(UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }
  }

  private static func hexadecimal(_ digest: some Sequence<UInt8>) -> String {
    digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  /// Throws `WeightsError.checksum` unless the SHA-256 of the file at `url` is `expected`.
  ///
  /// - Parameter expected: 64 hexadecimal digits, in either case.
  public static func verify(_ url: URL, sha256 expected: String) throws {
    let found = try sha256(of: url)
    guard found == expected.lowercased() else {
      throw WeightsError.checksum(path: url.path, expected: expected.lowercased(), found: found)
    }
  }
}

import CCrypto
import CZlib
import Foundation

/// SHA-256 of files, texts and bytes, and the checksum of ZIP.
public enum Checksum {
  /// The SHA-256 of the file at `url`, as 64 lower-case hexadecimal digits. Read in pieces, so that
  /// a file larger than memory is no trouble.
  public static func sha256(of url: URL) throws -> String {
    let hash = Hash(EVP_sha256())
    try read(url) { hash.update($0) }
    return hash.hexadecimal()
  }

  /// The SHA-256 of a text's UTF-8.
  public static func sha256(of text: String) -> String { sha256(of: Array(text.utf8)) }

  /// The SHA-256 of bytes.
  public static func sha256(of bytes: some ContiguousBytes) -> String {
    bytes.withUnsafeBytes { bytes in
      let hash = Hash(EVP_sha256())
      hash.update(bytes)
      return hash.hexadecimal()
    }
  }

  /// The checksum of ZIP and PNG (ISO 3309).
  package static func crc32(of bytes: some ContiguousBytes) -> UInt32 {
    bytes.withUnsafeBytes { bytes in
      UInt32(
        truncatingIfNeeded: crc32_z(
          0, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count))
    }
  }

  /// The SHA-1 by which git knows the contents of the file at `url`.
  package static func gitBlob(of url: URL) throws -> String {
    let size =
      try FileManager.default.attributesOfItem(
        atPath: url.resolvingSymlinksInPath().path)[.size] as? Int
    let hash = Hash(EVP_sha1())
    Array("blob \(size ?? 0)\0".utf8).withUnsafeBytes { hash.update($0) }
    try read(url) { hash.update($0) }
    return hash.hexadecimal()
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

  /// Calls `body` with the file's bytes in pieces.
  private static func read(_ url: URL, _ body: (UnsafeRawBufferPointer) -> Void) throws {
    func failure() -> WeightsError {
      .file(path: url.path, reason: "cannot read the file (\(String(cString: strerror(errno))))")
    }
    let descriptor = try RegularFile.open(url.path).descriptor
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
}

/// A hash in the making, by OpenSSL's libcrypto.
private struct Hash: ~Copyable {
  private let context: OpaquePointer

  /// - Parameter algorithm: of libcrypto, which always has it.
  init(_ algorithm: OpaquePointer?) {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, algorithm, nil) == 1 else {
      preconditionFailure("libcrypto lacks a hash")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// The end: lower-case hexadecimal digits.
  consuming func hexadecimal() -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    EVP_DigestFinal_ex(context, &digest, &count)
    return digest.prefix(Int(count)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

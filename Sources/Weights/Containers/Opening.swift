import Foundation

/// Opens a file of tensors of any kind; the kind follows from its first bytes.
///
/// - Throws: `WeightsError`, with a hint where the file is something else that people mistake for
///   weights.
public func openTensors(at url: URL) throws -> any TensorFile {
  let file = try MappedFile(url)
  let head = file.bytes.prefix(16)
  func begins(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }
  func begins(_ text: String) -> Bool { file.bytes.starts(with: text.utf8) }
  func unknown(_ reason: String) -> WeightsError { .unknown(path: url.path, reason: reason) }

  guard file.bytes.count >= 8 else {
    throw unknown("it has only \(file.bytes.count) bytes; download it again")
  }
  if begins([0x50, 0x4B, 3, 4]) || begins(TorchFile.magic) { return try TorchFile(file, url) }
  // A header of at most 100 MB that begins a JSON object.
  if head[8...].first == UInt8(ascii: "{"), head[5..<8].allSatisfy({ $0 == 0 }) {
    return try SafeTensors(file, url)
  }
  if begins("{") { return try ShardedFile(contentsOf: url) }
  if begins("<!") || begins("<html") || begins("<HTML") {
    throw unknown("it is a web page, most likely one that says why the download failed")
  }
  if begins("version https://git-lfs") {
    throw unknown("it is a pointer of Git LFS; fetch the file itself with: git lfs pull")
  }
  if begins([0x1F, 0x8B]) { throw unknown("it is compressed with gzip; unpack it first") }
  if begins([0x80]), (2...5).contains(head[1]) {
    throw unknown("it is a Python pickle without tensors of PyTorch")
  }
  if let first = head.first, (0x81...0x8F).contains(first) || first == 0xDE || first == 0xDF {
    return try FlaxFile(file, url)
  }
  throw unknown("its first bytes are those of no container that holds tensors")
}

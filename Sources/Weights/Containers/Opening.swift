import Foundation

/// Opens a file of tensors of any kind; the kind follows from its first bytes.
///
/// - Throws: `WeightsError`, with a hint where the file is something else that people mistake for
///   weights.
public func openTensors(at url: URL) throws -> any TensorFile {
  let file = try MappedFile(url)
  let head = file.bytes.prefix(16)
  func begins(_ bytes: [UInt8]) -> Bool { file.bytes.starts(with: bytes) }
  func begins(_ text: String) -> Bool { file.bytes.starts(with: text.utf8) }
  func unknown(_ reason: String) -> WeightsError { .unknown(path: url.path, reason: reason) }

  guard file.bytes.count >= 8 else {
    throw unknown(
      file.bytes.isEmpty
        ? "it is empty (0 bytes); download it again"
        : "it has only \(file.bytes.count) bytes; download it again")
  }
  if begins([0x50, 0x4B, 3, 4]) || begins(TorchFile.magic) { return try TorchFile(file, url) }
  // A header of at most 100 MB that begins a JSON object.
  if head[8...].first == UInt8(ascii: "{"), head[5..<8].allSatisfy({ $0 == 0 }) {
    return try SafeTensors(file, url)
  }
  if begins("{") { return try ShardedFile(contentsOf: url) }
  if begins(NcnnFile.magic) { return try NcnnFile(file, url) }
  if let (_, kind) = mistaken.first(where: { begins($0.start) }) { throw unknown(kind) }
  if begins("RIFF"), file.bytes.dropFirst(8).starts(with: "WEBP".utf8) {
    throw unknown("it is a picture")
  }
  if begins([0x80]), (2...5).contains(head[1]) {
    throw unknown("it is a Python pickle without tensors of PyTorch")
  }
  if file.bytes.dropFirst(257).starts(with: "ustar".utf8) {
    throw unknown("it is a tar archive; unpack it first")
  }
  if let first = head.first, (0x81...0x8F).contains(first) || first == 0xDE || first == 0xDF {
    return try FlaxFile(file, url)
  }
  throw unknown(
    file.bytes.prefix(4096).allSatisfy { $0 >= 0x20 && $0 < 0x7F || (9...13).contains($0) }
      ? "it is a text" : "its first bytes are those of no container that holds tensors")
}

/// How files begin that people take for weights, and what they are.
private let mistaken: [(start: [UInt8], kind: String)] = [
  (Array("<!".utf8), webPage), (Array("<html".utf8), webPage), (Array("<HTML".utf8), webPage),
  (
    Array("version https://git-lfs".utf8),
    "it is a pointer of Git LFS; fetch the file itself with: git lfs pull"
  ),
  ([0x1F, 0x8B], "it is compressed with gzip; unpack it first"),
  ([0x42, 0x5A, 0x68], "it is compressed with bzip2; unpack it first"),
  ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "it is compressed with xz; unpack it first"),
  ([0x28, 0xB5, 0x2F, 0xFD], "it is compressed with zstd; unpack it first"),
  ([0x37, 0x7A, 0xBC, 0xAF], "it is a 7z archive; unpack it first"),
  (Array("Rar!".utf8), "it is a RAR archive; unpack it first"),
  ([0x89, 0x50, 0x4E, 0x47], "it is a picture"), ([0xFF, 0xD8, 0xFF], "it is a picture"),
  (Array("GIF8".utf8), "it is a picture"),
  (Array("GGUF".utf8), "it is a GGUF file of llama.cpp's family, which Reverie does not use"),
  ([0x89, 0x48, 0x44, 0x46], "it is an HDF5 file of Keras or TensorFlow, which is not read"),
  ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], "it is an array of NumPy, without the names of weights"),
  (
    [0x47, 0x6B, 0x30, 0x01],
    "it is the .bin of a network for ncnn; give the .param that belongs to it"
  ),
]

private let webPage = "it is a web page, most likely one that says why the download failed"

import Foundation
import Imaging
import Testing

@Suite struct WritingTests {
  @Test(
    "Lossless formats give the same picture back",
    arguments: [3, 4], [PictureFormat.png(), .webpLossless()])
  func lossless(channels: Int, format: PictureFormat) throws {
    let picture = try gradient(13, 7, channels: channels)
    #expect(try Picture(decoding: picture.encoded(as: format)) == picture)
  }

  @Test("JPEG and WebP give nearly the same picture back, the better the higher the quality")
  func lossy() throws {
    let picture = try gradient(64, 48, channels: 3)
    for formats in [
      [PictureFormat.jpeg(quality: 95), .jpeg(quality: 20)],
      [PictureFormat.webp(quality: 95), .webp(quality: 5)],
    ] {
      let files = try formats.map { try picture.encoded(as: $0) }
      #expect(files[0].count > files[1].count)
      let difference = largestDifference(try Picture(decoding: files[0]).bytes, picture.bytes)
      #expect(try #require(difference) <= 12)
    }
  }

  @Test("A JPEG of a transparent picture lies on white")
  func jpegOnWhite() throws {
    let file = try Picture(width: 8, height: 8, color: .clear).encoded(as: .jpeg())
    #expect(try Picture(decoding: file)[4, 4] == .white)
  }

  @Test("Writing never overwrites unless asked to, and leaves nothing else behind")
  func exclusive() throws {
    try withFolder { folder in
      let path = folder + "/a.png"
      let (first, second) = (try gradient(5, 5, channels: 3), try gradient(6, 5, channels: 4))
      try first.write(to: path)
      #expect(throws: ImagingError.exists(path: path)) { try second.write(to: path) }
      #expect(try Picture.read(from: path) == first)
      try second.write(to: path, replacing: true)
      #expect(try Picture.read(from: URL(fileURLWithPath: path)) == second)
      #expect(try names(in: folder) == ["a.png"])
    }
  }

  @Test("A dangling link counts as existing")
  func danglingLink() throws {
    try withFolder { folder in
      let path = folder + "/a.png"
      try FileManager.default.createSymbolicLink(
        atPath: path, withDestinationPath: folder + "/b.png")
      let picture = try gradient(5, 5, channels: 3)
      #expect(throws: ImagingError.exists(path: path)) { try picture.write(to: path) }
      #expect(try names(in: folder) == ["a.png"])
    }
  }

  @Test("Of many writers to one name exactly one succeeds")
  func race() async throws {
    let folder = NSTemporaryDirectory() + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let picture = try gradient(16, 16, channels: 3)
    let written = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<16 {
        group.addTask { (try? picture.write(to: folder + "/a.png")) != nil }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(written == 1)
    #expect(try names(in: folder) == ["a.png"])
  }

  @Test("A missing folder and an unknown extension are clear errors")
  func unwritable() throws {
    let picture = try gradient(5, 5, channels: 3)
    #expect(
      throws: ImagingError.unwritable(
        path: "/nowhere/a.png", reason: "No such file or directory")
    ) { try picture.write(to: "/nowhere/a.png") }
    #expect(throws: ImagingError.self) { try picture.write(to: "/nowhere/a.tiff") }
  }

  @Test("WebP refuses more than 16383 pixels a side")
  func wide() throws {
    #expect(throws: ImagingError.self) {
      try Picture(width: 16384, height: 1, color: .white).encoded(as: .webp())
    }
  }
}

@Suite struct PNGTextTests {
  @Test("Texts that Pillow wrote are read in order, whatever their chunk")
  func pillow() throws {
    let fixture = try Fixture.load(Fixture.Texts.self, "texts")
    let texts = try PNGMetadata.read(from: fixture.file)
    #expect(texts == fixture.texts.map { PNGText(keyword: $0[0], text: $0[1]) })
  }

  @Test("Texts written here are read back in order; ASCII as tEXt, the rest as iTXt")
  func roundTrip() throws {
    let texts = [
      PNGText(keyword: "reverie", text: #"{"prompt":"a whale"}"#),
      PNGText(keyword: "parameters", text: "ein Wal, 鯨 🐳\nSteps: 20"),
      PNGText(keyword: "empty", text: ""),
    ]
    let picture = try gradient(5, 5, channels: 4)
    let file = try picture.encoded(as: .png(texts: texts))
    #expect(try PNGMetadata.read(from: file) == texts)
    #expect(try Picture(decoding: file) == picture)
    #expect(file.range(of: Data("tEXtreverie".utf8)) != nil)
    #expect(file.range(of: Data("iTXtparameters".utf8)) != nil)
  }

  @Test(
    "A bad keyword or a zero in the text is refused",
    arguments: [
      ("", "x"), (" a", "x"), ("a ", "x"), ("a  b", "x"), ("ä", "x"), ("a\nb", "x"),
      (String(repeating: "k", count: 80), "x"), ("key", "a\u{0}b"),
    ])
  func badText(keyword: String, text: String) throws {
    let picture = try gradient(2, 2, channels: 3)
    #expect(throws: ImagingError.self) {
      try picture.encoded(as: .png(texts: [PNGText(keyword: keyword, text: text)]))
    }
  }

  @Test("Texts of a file cut off or changed at any byte throw or are read")
  func damaged() throws {
    let file = try Fixture.load(Fixture.Texts.self, "texts").file
    let whole = try PNGMetadata.read(from: file)
    // The picture's own data follow the texts.
    let end = try #require(file.range(of: Data("IDAT".utf8))).lowerBound - 4
    for count in file.indices {
      // Texts before the cut are whole, and those behind it are not there.
      do {
        let found = try PNGMetadata.read(from: file.prefix(count))
        #expect(whole.starts(with: found) && (found.count == whole.count) == (count >= end))
      } catch is ImagingError {}
      var changed = file
      changed[count] ^= 0xff
      do { _ = try PNGMetadata.read(from: changed) } catch is ImagingError {}
    }
  }

  @Test("A compressed text that would inflate beyond the limit is refused")
  func bomb() throws {
    // zlib: 64 MiB of zeros, made of stored repetition through the PNG encoder itself.
    let picture = try Picture(width: 4096, height: 4096, color: .black)
    let png = try picture.encoded(as: .png())
    var stream = Data()
    var offset = 8
    while offset + 12 <= png.count {
      let count = png[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
      if png[(offset + 4)..<(offset + 8)].elementsEqual("IDAT".utf8) {
        stream += png[(offset + 8)..<(offset + 8 + count)]
      }
      offset += 12 + count
    }
    let chunk = Data("zTXtkey\u{0}\u{0}".utf8) + stream
    var file = Data(png.prefix(33))
    for part in [chunk, Data("IEND".utf8)] {
      file += bigEndian(UInt32(part.count - 4)) + part + bigEndian(crc32(part))
    }
    #expect(
      throws: ImagingError.tooLarge(name: "bomb", reason: "its texts hold more than 16777216 bytes")
    ) { try PNGMetadata.read(from: file, name: "bomb") }
  }

  private func bigEndian(_ value: UInt32) -> Data {
    Data([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) })
  }

  private func crc32(_ data: Data) -> UInt32 {
    var crc = UInt32.max
    for byte in data {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xedb8_8320 : crc >> 1 }
    }
    return ~crc
  }
}

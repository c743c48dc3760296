import Foundation
import Imaging
import Testing

@Suite struct ReadingTests {
  @Test("Files of every kind decode to the oracle's pixels", arguments: Fixture.coded())
  func decodes(coded: Fixture.Coded) throws {
    let picture = try Picture(decoding: coded.file)
    #expect(picture.width == coded.width && picture.height == coded.height)
    #expect(picture.channels == coded.channels)
    let difference = try #require(largestDifference(picture.bytes, coded.bytes))
    #expect(difference <= coded.tolerance)
  }

  @Test("The fixtures are there")
  func fixtures() throws {
    #expect(try Fixture.load([Fixture.Coded].self, "pictures").count > 40)
  }

  @Test(
    "A file cut off at any byte throws",
    arguments: Fixture.coded().filter {
      [
        "png-rgba-8", "png-palette-4-interlaced-keyed", "jpeg-rgb", "jpeg-progressive",
        "jpeg-orientation-6", "webp-rgb", "webp-rgba", "webp-lossless",
      ].contains($0.name)
    })
  func truncated(coded: Fixture.Coded) throws {
    for count in 0..<coded.file.count {
      do {
        let picture = try Picture(decoding: coded.file.prefix(count))
        // Only what follows the pixels may be missing: PNG's last chunk and checksums, JPEG's end marker,
        // WebP's last bits.
        let end = coded.name.hasPrefix("png") ? 12 : 4
        #expect(count >= coded.file.count - end, "decoded \(count) of \(coded.file.count) bytes")
        #expect(picture.width == coded.width)
        if end == 12 { #expect(try picture.bytes == Picture(decoding: coded.file).bytes) }
      } catch is ImagingError {
      }
    }
  }

  @Test(
    "A file with any byte changed throws or decodes",
    arguments: Fixture.coded().filter {
      !$0.name.hasPrefix("jpeg-orientation") || $0.name.hasSuffix("8")
    })
  func damaged(coded: Fixture.Coded) throws {
    // A changed header may promise up to the limit; a low one keeps the test light.
    let limits = ReadingLimits(pixels: 100_000)
    for index in coded.file.indices {
      var file = coded.file
      for value in [file[index] ^ 0xff, file[index] ^ 0x01, 0] {
        file[index] = value
        do {
          let picture = try Picture(decoding: file, limits: limits)
          #expect(picture.bytes.count == picture.width * picture.height * picture.channels)
        } catch is ImagingError {
        }
      }
    }
  }

  @Test("Other data are refused by name", arguments: ["", "GIF89a", "RIFFxxxxWAVE", "\u{0}\u{0}"])
  func unknown(text: String) {
    #expect(throws: ImagingError.unknownKind(name: "x.gif")) {
      try Picture(decoding: Data(text.utf8), name: "x.gif")
    }
  }

  @Test(
    "Too many pixels are refused before decoding", arguments: ["png-rgb-8", "jpeg-rgb", "webp-rgb"])
  func tooManyPixels(name: String) throws {
    let coded = try #require(Fixture.coded(name).first)
    let limit = coded.width * coded.height - 1
    let error = ImagingError.tooLarge(
      name: "big", reason: "\(coded.width) x \(coded.height) pixels; at most \(limit) are read")
    #expect(throws: error) {
      try Picture(decoding: coded.file, name: "big", limits: ReadingLimits(pixels: limit))
    }
  }

  @Test("A PNG header that promises 2^31 pixels a side is refused")
  func hugePNG() throws {
    var file = try #require(Fixture.coded("png-rgb-8").first).file
    file.replaceSubrange(16..<24, with: [0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff])
    #expect(throws: ImagingError.self) { try Picture(decoding: file) }
  }

  @Test("Unreadable files give errors that name them")
  func unreadable() throws {
    try withFolder { folder in
      #expect(
        throws: ImagingError.unreadable(
          path: folder + "/none.png", reason: "No such file or directory")
      ) { try Picture.read(from: folder + "/none.png") }
      #expect(throws: ImagingError.unreadable(path: folder, reason: "it is a folder")) {
        try Picture.read(from: folder)
      }
      #expect(throws: ImagingError.self) { try Picture.read(from: "/dev/zero") }
      let path = folder + "/long.png"
      try Data(count: 2000).write(to: URL(fileURLWithPath: path))
      #expect(
        throws: ImagingError.tooLarge(name: path, reason: "2000 bytes; at most 1000 are read")
      ) { try Picture.read(from: path, limits: ReadingLimits(bytes: 1000)) }
    }
  }
}

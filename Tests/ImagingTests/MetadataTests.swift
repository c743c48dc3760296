import Foundation
import Testing

@testable import Imaging

@Suite struct MetadataTests {
  static let texts = [
    PictureText(keyword: "parameters", text: "ein Wal, 鯨 🐳\nSteps: 20"),
    PictureText(keyword: "reverie", text: #"{"prompt":"a whale"}"#),
    PictureText(keyword: "empty", text: ""),
  ]
  static let formats: [PictureFormat] = [
    .png(texts: texts), .jpeg(texts: texts), .webp(texts: texts), .webpLossless(texts: texts),
  ]

  @Test("Every kind of file gives its texts back in order", arguments: formats, [3, 4])
  func roundTrip(format: PictureFormat, channels: Int) throws {
    let picture = try gradient(13, 7, channels: channels)
    let file = try picture.encoded(as: format)
    #expect(try PictureMetadata.read(from: file) == Self.texts)
    let read = try Picture(decoding: file)
    #expect(read.width == 13 && read.height == 7)
    if case .webpLossless = format { #expect(read == picture) }
  }

  @Test("Files without texts have none", arguments: [PictureFormat.png(), .jpeg(), .webp()])
  func none(format: PictureFormat) throws {
    let file = try gradient(5, 5, channels: 3).encoded(as: format)
    #expect(try PictureMetadata.read(from: file).isEmpty)
    #expect(throws: ImagingError.self) { try PictureMetadata.read(from: Data("GIF89a".utf8)) }
  }

  @Test("Texts too long for a JPEG segment, or against the rules, are refused")
  func refused() throws {
    let picture = try gradient(5, 5, channels: 3)
    let long = [PictureText(keyword: "a", text: String(repeating: "x", count: 66_000))]
    #expect(throws: ImagingError.self) { try picture.encoded(as: .jpeg(texts: long)) }
    let webp = try picture.encoded(as: .webp(texts: long))
    #expect(try PictureMetadata.read(from: webp) == long)
    let bad = [PictureText(keyword: "", text: "x")]
    #expect(throws: ImagingError.self) { try picture.encoded(as: .jpeg(texts: bad)) }
    #expect(throws: ImagingError.self) { try picture.encoded(as: .webp(texts: bad)) }
  }

  @Test("Files of Pillow give their user comment, and stand upright", arguments: Fixture.exif())
  func pillow(coded: Fixture.EXIF) throws {
    #expect(try PictureMetadata.read(from: coded.file).map(\.text) == coded.comments)
    let picture = try Picture(decoding: coded.file)
    #expect(picture.width == coded.width && picture.height == coded.height)
    // The left upper quarter of the upright picture is red, the rest blue.
    #expect(picture[2, 2].red > 200 && picture[coded.width - 3, 2].red < 60)
    #expect(picture[2, coded.height - 3].red < 60)
  }

  @Test(
    "Reading texts of files cut off or changed at any byte neither traps nor throws",
    arguments: formats.dropFirst())
  func damaged(format: PictureFormat) throws {
    let file = try gradient(5, 5, channels: 4).encoded(as: format)
    for index in file.indices.dropFirst(12) {
      _ = try PictureMetadata.read(from: file.prefix(index))
      var changed = file
      for value in [file[index] ^ 0xff, 0, 0x7f] {
        changed[index] = value
        _ = try PictureMetadata.read(from: changed)
      }
    }
  }
}

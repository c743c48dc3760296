import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Painting

@Suite struct InpaintTests {
  private let start: Picture = {
    guard let picture = try? Picture(RandomStream(seed: 1, "start").uniform([1, 3, 40, 60])) else {
      preconditionFailure("noise is a picture")
    }
    return picture
  }()

  /// White in its right half.
  private func mask(_ open: Color = .white, _ closed: Color = .black) throws -> Picture {
    let bytes = (0..<40 * 60).flatMap { pixel in
      let color = pixel % 60 < 30 ? closed : open
      return [color.red, color.green, color.blue, color.alpha]
    }
    return try Picture(width: 60, height: 40, channels: 4, bytes: bytes)
  }

  private func filter(_ mask: Picture, blur: Double = 0) throws -> InpaintFilter {
    try InpaintFilter(
      start: start, mask: mask, fit: .crop, blur: blur, width: 60, height: 40, device: .cpu)
  }

  @Test("only what the mask opens is drawn, and only there is a gradient")
  func inside() throws {
    let x = RandomStream(seed: 2, "drawn").uniform([1, 3, 40, 60]).variable()
    let (shown, loss) = try filter(mask())(x, iteration: 3)
    #expect(loss == nil)
    let first = start.tensor()
    #expect((shown.narrowed(3, 0, 30) - first.narrowed(3, 0, 30)).abs().amax().item() == 0)
    #expect((shown.narrowed(3, 30, 30) - x.narrowed(3, 30, 30)).abs().amax().item() == 0)
    let slope = gradient(of: shown.sum(), at: [x])[0]
    #expect(slope.narrowed(3, 0, 30).abs().sum().item() == 0)
    #expect(slope.narrowed(3, 30, 30).sum().item() == 3 * 40 * 30)
  }

  @Test("the finished picture has the first one's very pixels outside, at any size")
  func finished() throws {
    let drawn = try Picture(width: 60, height: 40, color: Color(red: 9, green: 200, blue: 7))
    let whole = try filter(mask()).finish(drawn)
    #expect(
      try whole.cropped(x: 0, y: 0, width: 30, height: 40)
        == start.cropped(x: 0, y: 0, width: 30, height: 40))
    #expect(
      try whole.cropped(x: 30, y: 0, width: 30, height: 40)
        == drawn.cropped(x: 30, y: 0, width: 30, height: 40))
    let soft = try filter(mask(), blur: 4).finish(drawn)
    #expect(soft != whole)
    #expect(
      try soft.cropped(x: 0, y: 0, width: 20, height: 40)
        == start.cropped(x: 0, y: 0, width: 20, height: 40))
  }

  @Test("a mask that is cut out is open where it is clear, whatever its colours are")
  func cutOut() throws {
    let cut = try filter(mask(Color(red: 0, green: 0, blue: 0, alpha: 0), .white))
    let drawn = try Picture(width: 60, height: 40, color: .black)
    #expect(try cut.finish(drawn) == filter(mask()).finish(drawn))
  }

  @Test("without a picture to begin from there is nothing to paint inside")
  func missing() async throws {
    let folder = try ScratchFolder.make("mask")
    let file = folder.appending(path: "mask.png")
    try mask().write(to: file.path)
    var files = Attachments()
    let reference = FileReference(name: "mask.png", sha256: String(repeating: "a", count: 64))
    files.add(reference, at: file)
    var request = Request("red fox")
    (request.method, request.iterations, request.cutouts) = (.vqganCLIP, 2, 2)
    (request.width, request.height) = (48, 32)
    request.filters = [PartSpec("inpaint", ["mask": reference.json])]
    let engine = Engine(pack: try Pack(folder: TinyPack.make()), cache: nil, threads: 1)
    await #expect(throws: RequestError.self) {
      for try await _ in engine.generate(request, .init(files: files)) {}
    }
    let begin = folder.appending(path: "start.png")
    try start.write(to: begin.path)
    let first = FileReference(name: "start.png", sha256: String(repeating: "b", count: 64))
    files.add(first, at: begin)
    request.initImage = first
    for try await event in engine.generate(request, .init(files: files)) {
      guard case .image(let output) = event else { continue }
      // Eight pixels from the edge of the mask nothing fades any more.
      #expect(
        try output.picture.cropped(x: 0, y: 0, width: 16, height: 32)
          == start.filled(width: 48, height: 32).cropped(x: 0, y: 0, width: 16, height: 32))
    }
  }
}

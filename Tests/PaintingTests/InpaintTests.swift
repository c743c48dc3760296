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

  @Test("what is masked is painted alone, at full size, and laid back where it was")
  func area() throws {
    let whole = try Picture(RandomStream(seed: 4, "large").uniform([1, 3, 80, 120]))
    func rectangle(_ columns: Range<Int>, _ rows: Range<Int>) throws -> Picture {
      let white = (0..<80 * 120).flatMap { pixel in
        let isIn = columns.contains(pixel % 120) && rows.contains(pixel / 120)
        return [UInt8](repeating: isIn ? 255 : 0, count: 3)
      }
      return try Picture(width: 120, height: 80, channels: 3, bytes: white)
    }
    func box(_ area: PaintedArea) -> [Int] { [area.x, area.y, area.width, area.height] }
    let mask = try rectangle(90..<102, 10..<18)
    let area = try #require(PaintedArea(mask, padding: 0.05))
    // (8 + 2 * 6) / 80 is more than (12 + 2 * 6) / 120.
    #expect(box(area) == [81, 4, 30, 20])
    let filter = try InpaintFilter(
      start: whole, mask: mask, fit: .crop, blur: 0, area: area, width: 60, height: 40, device: .cpu
    )
    let seen = try #require(filter.kept)
    let part = try whole.cropped(x: 81, y: 4, width: 30, height: 20)
    expectClose(seen.picture, try part.fitted(by: .stretch, 60, 40).tensor(), atol: 1e-6)
    #expect(abs(seen.open.sum().item() - 24 * 16) < 4)
    let drawn = try Picture(width: 120, height: 80, color: Color(red: 9, green: 200, blue: 7))
    let done = try filter.finish(drawn)
    let inside = try drawn.cropped(x: 0, y: 0, width: 12, height: 8)
    #expect(try done.cropped(x: 90, y: 10, width: 12, height: 8) == inside)
    #expect(
      try done.replacing(inside, x: 90, y: 10) == whole.replacing(inside, x: 90, y: 10))
    // A picture with alpha is painted in as one without.
    let clear = try InpaintFilter(
      start: whole.addingAlpha(), mask: mask, fit: .crop, blur: 0, area: area, width: 60,
      height: 40, device: .cpu)
    #expect(try clear.finish(drawn) == done)
    // At the border it stays within, and what is nearly all is painted whole.
    let corner = try #require(PaintedArea(rectangle(118..<120, 79..<80), padding: 0))
    #expect(box(corner) == [105, 70, 15, 10])
    #expect(PaintedArea(try rectangle(0..<120, 0..<79), padding: 0) == nil)
    #expect(PaintedArea(try rectangle(0..<0, 0..<0), padding: 0) == nil)
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

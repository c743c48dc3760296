import Testing
import Torch

@testable import Painting

@Suite struct FilterTests {
  private let picture = RandomStream(seed: 1, "picture").uniform([1, 3, 8, 12])

  private func distance(_ a: Tensor, _ b: Tensor) -> Double {
    guard a.shape == b.shape else { return .infinity }
    return (a - b).abs().amax().item()
  }

  @Test("a tile is shifted around by iteration, the same for the same, and left alone to look at")
  func tiler() {
    let filter = TilerFilter(seed: 3)
    #expect(distance(filter(picture, iteration: nil).picture, picture) == 0)
    let shifted = (0..<12).map { filter(picture, iteration: $0).picture }
    #expect(distance(filter(picture, iteration: 5).picture, shifted[5]) == 0)
    #expect(shifted.contains { distance($0, shifted[0]) > 0 })
    for x in shifted {
      let found = (0..<8).contains { row in
        (0..<12).contains { distance(picture.rolled($0, over: 3).rolled(row, over: 2), x) == 0 }
      }
      #expect(found)
    }
  }

  @Test("smoothness asked of shifted tiles closes their seams, that of pictures does not")
  func seam() throws {
    // A ramp is smooth but for the seam.
    let ramp = Tensor((0..<16).map { Float($0) / 16 }, [1, 1, 1, 16]).expanded([1, 3, 16, 16])
    func seamAfter(_ filter: (any Filter)?) throws -> Double {
      var x = ramp.contiguous()
      for iteration in 0..<200 {
        let leaf = x.variable()
        let seen = filter?(leaf, iteration: iteration).picture ?? leaf
        let loss = try #require(
          TotalVariationObjective(kind: .squared).loss(Observation(picture: seen)))
        x = (x - gradient(of: loss, at: [leaf])[0] * 200).detached()
      }
      return (x.select(3, 0) - x.select(3, 15)).abs().mean().item()
        / (x.select(3, 8) - x.select(3, 7)).abs().mean().item()
    }
    // How much steeper the seam is than the middle.
    let (without, with) = (try seamAfter(nil), try seamAfter(TilerFilter(seed: 1)))
    #expect(with < 2)
    #expect(without > 5)
  }

  @Test("a wallpaper's tile is shown as it repeats")
  func repetition() throws {
    func shown(_ repetition: WallpaperFilter.Repetition, _ iteration: Int?) -> Tensor {
      WallpaperFilter(repetition: repetition, seed: 2)(picture, iteration: iteration).picture
    }
    for repetition in [WallpaperFilter.Repetition.both, .horizontal, .vertical] {
      #expect(distance(shown(repetition, nil), picture) == 0)
    }
    let bricks = shown(.shift, nil)
    #expect(bricks.shape == [1, 3, 16, 12])
    #expect(distance(bricks.narrowed(2, 0, 8), picture) == 0)
    #expect(distance(bricks.narrowed(2, 8, 8), picture.rolled(6, over: 3)) == 0)
    for iteration in 0..<4 {
      let across = shown(.horizontal, iteration).sum(over: [3])
      #expect(distance(across, picture.sum(over: [3])) < 1e-5, "rows stay where they are")
      let down = shown(.vertical, iteration).sum(over: [2])
      #expect(distance(down, picture.sum(over: [2])) < 1e-5, "columns stay where they are")
    }
  }

  @Test("borders that should be alike are compared and half of them cut off")
  func edges() throws {
    let filter = WallpaperFilter(repetition: .horizontal, edge: 4, seed: 2)
    let (x, loss) = filter(picture, iteration: nil)
    let difference = picture.narrowed(3, 0, 4) - picture.narrowed(3, 8, 4)
    #expect(abs(try #require(loss).item() - difference.square().mean().item() / 4) < 1e-6)
    #expect(distance(x, picture.narrowed(3, 2, 8)) == 0)

    let (y, both) = WallpaperFilter(edge: 3, seed: 2)(picture, iteration: nil)
    #expect(distance(y, picture.narrowed(3, 1, 10).narrowed(2, 1, 6)) == 0)
    let across = (picture.narrowed(3, 0, 3) - picture.narrowed(3, 9, 3)).square().mean()
    let trimmed = picture.narrowed(3, 1, 10)
    let down = (trimmed.narrowed(2, 0, 3) - trimmed.narrowed(2, 5, 3)).square().mean()
    #expect(abs(try #require(both).item() - (across.item() + down.item()) / 3) < 1e-6)

    #expect(WallpaperFilter(seed: 2)(picture, iteration: 1).loss == nil)
    #expect(WallpaperFilter(edge: 64, seed: 2)(picture, iteration: 1).picture.count > 0)
  }

  @Test("every kind is made from its own defaults")
  func kinds() throws {
    func context(_ arguments: [PartArgument], _ given: [String: JSONValue] = [:]) -> PartContext {
      PartContext("test", arguments, given, width: 12, height: 8)
    }
    let view = Observation.Views(cutouts: picture, embeddings: picture)
    // These look through networks, or want a picture: they say so where there is none.
    let withNetworks: Set = ["aesthetic", "contrastive", "likeness", "style", "transfer"]
    for kind in ObjectiveKind.builtIn {
      if withNetworks.contains(kind.name) {
        #expect(throws: RequestError.self) { try kind.make(context(kind.arguments)) }
        continue
      }
      let objective = try kind.make(context(kind.arguments))
      let loss = objective.loss(Observation(picture: picture, views: [view]))
      #expect(loss.map { $0.count == 1 && $0.item().isFinite } == true, "\(kind.name)")
    }
    for kind in FilterKind.builtIn {
      if kind.name == "inpaint" {
        // It wants a mask.
        #expect(throws: RequestError.self) { try kind.make(context(kind.arguments)) }
        continue
      }
      let filter = try kind.make(context(kind.arguments))
      #expect(filter(picture, iteration: 0).picture.shape == picture.shape, "\(kind.name)")
    }
    #expect(Set(ObjectiveKind.builtIn.map(\.name)).count == ObjectiveKind.builtIn.count)

    let palette = try FilterKind.lookup.make(
      context(FilterKind.lookup.arguments, ["colors": .string("[red, #0044ff]")]))
    let shown = palette(picture, iteration: nil).picture.pixelRows
    #expect(Set((shown * 255).round().ints()) == [0, 0x44, 0xff])
    for (colors, kind) in [
      ("[]", "a colour should stand here"), ("[nosuchcolour]", "is no colour"),
    ] {
      do {
        _ = try ObjectiveKind.palette.make(
          context(ObjectiveKind.palette.arguments, ["colors": .string(colors)]))
        Issue.record("\(colors) was accepted")
      } catch {
        #expect("\(error)".contains(kind))
      }
    }
    #expect(throws: RequestError.self) {
      try ObjectiveKind.edge.make(
        context(ObjectiveKind.edge.arguments, ["left": .number(60), "right": .number(41)]))
    }
    #expect(throws: RequestError.self) {
      try FilterKind.wallpaper.make(
        context(FilterKind.wallpaper.arguments, ["group": .string("p4")]))
    }
  }
}

import Torch

extension FilterKind {
  static let wallpaper = FilterKind(
    "wallpaper", "makes a wallpaper's tile, with the symmetry of a wallpaper group",
    arguments: [
      .choice(
        "type", WallpaperFilter.Repetition.allCases.map(\.rawValue), default: "both",
        "repeats both ways, as bricks, or one way only"),
      .integer("edge", 0...64, default: 0, "pixels at opposite borders that should be alike"),
      .choice(
        "group", WallpaperGroup.allCases.map(\.rawValue), default: "p1",
        "the symmetry of the pattern; the tile is one period"),
    ]
  ) { context in
    let group: WallpaperGroup = context.choice("group")
    try group.check(width: context.width, height: context.height)
    return WallpaperFilter(
      repetition: context.choice("type"),
      edge: context.integer("edge"), group: group, seed: context.seed)
  }
}

/// A wallpaper's tile: shifted around by chance in every iteration, so that its repetition is judged
/// (pixray's `wallpaper`), and, beyond pixray, symmetrical under a wallpaper group.
struct WallpaperFilter: Filter {
  /// How the tile is repeated.
  enum Repetition: String, CaseIterable {
    case both
    /// Every other row moved by half a tile; two rows are shown, `[1, 3, 2 H, W]`.
    case shift
    case horizontal, vertical
  }

  var repetition = Repetition.both
  /// Pixels at opposite borders that should be alike; half of them are cut off on either side.
  var edge = 0
  var group = WallpaperGroup.p1
  let seed: UInt64

  func callAsFunction(_ picture: Tensor, iteration: Int?) -> (picture: Tensor, loss: Tensor?) {
    var x = picture
    var losses: [Tensor] = []
    let dims =
      switch repetition {
      case .both: [3, 2]
      case .horizontal: [3]
      case .vertical: [2]
      case .shift: [Int]()
      }
    for dim in dims where edge > 0 {
      let (trimmed, loss) = matched(x, over: dim)
      x = trimmed
      losses.append(loss)
    }
    x = group.symmetrized(x)
    if repetition == .shift {
      x = concatenated([x, x.rolled(x.size(3) / 2, over: 3)], over: 2)
    }
    if let iteration {
      let stream = RandomStream(seed: seed, "wallpaper \(iteration)")
      x = x.rolledAround(dims.isEmpty ? [3, 2] : dims, stream)
    }
    return (x, total(losses))
  }

  /// Without half of the border on either side, and how much both borders differ.
  private func matched(_ x: Tensor, over dim: Int) -> (Tensor, Tensor) {
    let size = x.size(dim)
    let width = min(edge, size / 2)
    let difference = x.narrowed(dim, 0, width) - x.narrowed(dim, size - width, width)
    let trim = width / 2
    return (
      x.narrowed(dim, trim, size - 2 * trim), difference.square().mean() / Double(max(1, width))
    )
  }
}

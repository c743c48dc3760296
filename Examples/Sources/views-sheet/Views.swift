import Imaging
import Painting
import Torch

/// Sheets that need no painting: views of a picture, and pictures to begin from.
struct Views {
  private let picture: Tensor  // [1, 3, H, W]
  private let size = 44

  init(_ picture: Picture) { self.picture = picture.tensor() }

  /// Views of one iteration, a row for each way of cutting them. Noise is left out: it would make the
  /// file ten times as large.
  func modes() throws -> ContactSheet {
    let cells = try CutoutMode.allCases.flatMap { mode in
      let kept = mode.augmentations.filter { $0 != .noise }
      return try shown(Cutouts(size: size, count: 5, mode: mode, augmentations: kept, seed: 1))
    }
    return ContactSheet(
      cells, columns: 5, rowLabels: CutoutMode.allCases.map(\.rawValue), cellSize: size, gap: 4)
  }

  /// What each augmentation does to the whole picture.
  func augmentations() throws -> ContactSheet {
    let kinds = Augmentation.Kind.allCases
    let cells = try kinds.flatMap { kind in
      try shown(
        Cutouts(
          size: 40, count: 4, mode: .latest, augmentations: [Augmentation(kind)], seed: 4))
    }
    return ContactSheet(cells, columns: 4, rowLabels: kinds.map(\.rawValue), cellSize: 40, gap: 4)
  }

  /// What to begin from without a picture.
  func startPictures() throws -> ContactSheet {
    let cells = try StartPicture.allCases.map { start in
      let noise = start.tensor(width: 64, height: 64, from: RandomStream(seed: 1, "start"))
      return ContactSheet.Cell(try Picture(noise[0]), caption: start.rawValue)
    }
    return ContactSheet(cells, columns: cells.count, cellSize: 64)
  }

  private func shown(_ cutouts: Cutouts) throws -> [ContactSheet.Cell] {
    let views = cutouts(picture, iteration: 0).clamped(0, 1)  // [B, 3, S, S]
    return try (0..<cutouts.count).map { .init(try Picture(views[$0])) }
  }
}

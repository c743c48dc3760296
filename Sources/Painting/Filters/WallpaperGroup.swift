import Torch

/// The seventeen symmetries of patterns that repeat in the plane, by the names and with the origins of
/// the International Tables for Crystallography, volume A. A picture is one period of the pattern.
enum WallpaperGroup: String, CaseIterable, Sendable {
  case p1, p2, pm, pg, cm, pmm, pmg, pgg, cmm, p4, p4m, p4g, p3, p3m1, p31m, p6, p6m

  /// What the period must be like.
  enum Lattice { case rectangular, square, hexagonal }

  /// What the period must be like.
  var lattice: Lattice {
    switch self {
    case .p1, .p2, .pm, .pg, .cm, .pmm, .pmg, .pgg, .cmm: .rectangular
    case .p4, .p4m, .p4g: .square
    case .p3, .p3m1, .p31m, .p6, .p6m: .hexagonal
    }
  }

  /// Refuses sizes that are no period of the group.
  func check(width: Int, height: Int) throws(RequestError) {
    switch lattice {
    case .rectangular: return
    case .square:
      guard width != height else { return }
      throw .badValue(
        field: "group",
        reason: "\(rawValue) needs a square picture. Ask for a size such as \(width)x\(width)")
    case .hexagonal:
      let (short, long) = (Double(min(width, height)), Double(max(width, height)))
      // Up to this, squeezing the hexagons is hardly seen.
      guard abs(long / short / HexagonalSymmetry.aspect - 1) > 0.03 else { return }
      let wanted = Int((short * HexagonalSymmetry.aspect).rounded())
      throw .badValue(
        field: "group",
        reason: "\(rawValue) needs sides of about 1 to 1.73. Ask for a size such as "
          + "\(Int(short))x\(wanted)")
    }
  }

  /// The mean of a picture over the motions of the group: the nearest picture that has the symmetry.
  ///
  /// On rectangular and square lattices every pixel goes exactly to pixels; an odd row or column and
  /// what makes a square longer are cut off where the group needs that. Hexagonal ones read between
  /// pixels.
  /// - Parameter picture: `[1, C, H, W]`
  func symmetrized(_ picture: Tensor) -> Tensor {
    if let hexagonal = HexagonalSymmetry(self) { return hexagonal(picture) }
    let (height, width) = (picture.size(2), picture.size(3))
    func cut(_ size: Int, _ isHalved: Bool) -> Int { isHalved ? max(2, size / 2 * 2) : size }
    var (rows, columns) = (
      cut(height, motions.contains { $0.rises }), cut(width, motions.contains { $0.shifts })
    )
    if lattice == .square { (rows, columns) = (min(rows, columns), min(rows, columns)) }
    var x = picture.narrowed(2, 0, min(rows, height)).narrowed(3, 0, min(columns, width))
    for motion in motions { x = motion.averaged(x) }
    return x
  }

  /// Motions from which the group is made: each time, the powers of the next one are representatives of
  /// the cosets of what the ones before it make, so that averaging over one after the other averages
  /// over the whole group.
  var motions: [Motion] {
    let half = Motion(mirrorsX: true, mirrorsY: true)
    let quarter = Motion(isQuarter: true)
    let mirror = Motion(mirrorsX: true)
    let centring = Motion(shifts: true, rises: true)
    switch self {
    case .p2: return [half]
    case .pm: return [mirror]
    case .pg: return [Motion(mirrorsX: true, rises: true)]
    case .cm: return [mirror, centring]
    case .pmm: return [half, mirror]
    case .pmg: return [half, Motion(mirrorsX: true, shifts: true)]
    case .pgg: return [half, Motion(mirrorsX: true, shifts: true, rises: true)]
    case .cmm: return [half, mirror, centring]
    case .p4: return [quarter]
    case .p4m: return [quarter, mirror]
    case .p4g: return [quarter, Motion(mirrorsX: true, shifts: true, rises: true)]
    case .p1, .p3, .p3m1, .p31m, .p6, .p6m: return []
    }
  }

  /// A motion of the plane that takes the pixels of a period to pixels.
  struct Motion {
    /// A quarter turn; nothing else then.
    var isQuarter = false
    /// Left and right exchanged.
    var mirrorsX = false
    /// Top and bottom exchanged.
    var mirrorsY = false
    /// Then moved by half a period along the width.
    var shifts = false
    /// Then moved by half a period along the height.
    var rises = false

    func callAsFunction(_ x: Tensor) -> Tensor {
      guard !isQuarter else { return x.transposed().flipped(3) }
      var x = x
      if mirrorsX { x = x.flipped(3) }
      if mirrorsY { x = x.flipped(2) }
      if shifts { x = x.rolled(x.size(3) / 2, over: 3) }
      if rises { x = x.rolled(x.size(2) / 2, over: 2) }
      return x
    }

    /// The mean of a picture over the motion's powers: four of a quarter turn, two of all others.
    func averaged(_ x: Tensor) -> Tensor {
      let y = (x + self(x)) / 2
      guard isQuarter else { return y }
      return (y + self(self(y))) / 2
    }
  }
}

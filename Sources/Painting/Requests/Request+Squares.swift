extension Request {
  /// The squares that the ways of cutting `big-sleep` and `deep-daze` are to take.
  /// - Throws: `RequestError.badValue` when they contradict each other or the way of cutting.
  func squares() throws(RequestError) -> SquareOptions {
    var squares = SquareOptions()
    if let sizes = cutSizes {
      try check("cutSizes", is: [.deepDaze])
      guard (2...3).contains(sizes.count), sizes[0] <= sizes[1],
        sizes.dropFirst(2).allSatisfy({ (sizes[0]...sizes[1]).contains($0) })
      else {
        throw .badValue(
          field: "cutSizes",
          reason:
            "must be the least and the largest share and, if wanted, one between them that the "
            + "least rises to, as in 0.1,1,0.75")
      }
      (squares.lower, squares.upper) = (sizes[0], sizes[1])
      squares.lowerAtEnd = sizes.count > 2 ? sizes[2] : nil
    }
    if let spread = cutSpread {
      try check("cutSpread", is: [.deepDaze])
      guard spread.count == 2 else {
        throw .badValue(
          field: "cutSpread", reason: "must be a mean and a deviation, as in 0.6,0.2")
      }
      (squares.isGaussian, squares.mean, squares.deviation) = (true, spread[0], spread[1])
    }
    if let focus = cutCenter {
      try check("cutCenter", is: [.bigSleep, .deepDaze])
      (squares.isCentered, squares.focus) = (true, focus)
    }
    return squares
  }

  /// What the way of cutting `dango` is to show on the way; nil where nothing is said of it.
  /// - Throws: `RequestError.badValue` with another way of cutting.
  func dango() throws(RequestError) -> DangoSchedules? {
    let given = [
      ("cutOverview", cutOverview), ("cutInner", cutInner), ("cutInnerPower", cutInnerPower),
      ("cutInnerGray", cutInnerGray),
    ].filter { $0.1 != nil }
    for (field, _) in given { try check(field, is: [.dango]) }
    guard !given.isEmpty else { return nil }
    let usual = DangoSchedules.usual
    return DangoSchedules(
      overviews: cutOverview ?? usual.overviews, squares: cutInner ?? usual.squares,
      power: cutInnerPower ?? usual.power, gray: cutInnerGray ?? usual.gray)
  }

  /// Refuses what the way of cutting, once it is known, does not look at.
  private func check(_ field: String, is modes: [CutoutMode]) throws(RequestError) {
    guard let cutMode, !modes.contains(cutMode) else { return }
    throw .badValue(
      field: field,
      reason: "has no effect with cutMode \(cutMode.rawValue); choose "
        + modes.map(\.rawValue).joined(separator: " or "))
  }
}

import Foundation
import Imaging

/// The loss of a run over its steps as a picture: single values pale, their running mean dark, the
/// loss on a logarithmic scale.
struct LossCurve {
  private let points: [(step: Int, loss: Double)]

  /// Reads the losses of a run's `log.jsonl`; lines that are not whole are left out.
  init(log: URL) throws {
    struct Line: Decodable {
      var step: Int
      var loss: Double?
    }
    let decoder = JSONDecoder()
    points = try Data(contentsOf: log).split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let line = try? decoder.decode(Line.self, from: line), let loss = line.loss, loss > 0
      else { return nil }
      return (line.step, loss)
    }
  }

  /// The picture, or nil with fewer than two losses.
  func render(width: Int = 720, height: Int = 360, font: Font? = Font.label()) throws -> Picture? {
    guard let first = points.first, let last = points.last, first.step < last.step,
      let low = points.map(\.loss).min(), let high = points.map(\.loss).max(), low < high
    else { return nil }
    var picture = try Picture(width: width, height: height, color: .white)
    let margin = 24
    func place(_ step: Int, _ loss: Double) -> (x: Int, y: Int) {
      let right = Double(step - first.step) / Double(last.step - first.step)
      let up = log(loss / low) / log(high / low)
      return (
        margin + Int(right * Double(width - 2 * margin)),
        height - margin - Int(up * Double(height - 2 * margin))
      )
    }
    var mean = first.loss
    var before = place(first.step, mean)
    for point in points {
      let single = place(point.step, point.loss)
      picture.fill(x: single.x, y: single.y, width: 2, height: 2, color: Color(0xc7d3e8))
      mean = 0.95 * mean + 0.05 * point.loss
      let here = place(point.step, min(max(mean, low), high))
      let (top, bottom) = (min(before.y, here.y), max(before.y, here.y))
      picture.fill(
        x: before.x, y: top, width: max(2, here.x - before.x), height: bottom - top + 2,
        color: Color(0x2f6bd8))
      before = here
    }
    if let font {
      let ink = Color(0x444444)
      font.draw(String(format: "%.3g", high), size: 13, color: ink, onto: &picture, x: 4, y: 4)
      font.draw(
        String(format: "%.3g at step %d", mean, last.step), size: 13, color: ink, onto: &picture,
        x: 4, y: height - 20)
    }
    return picture
  }
}

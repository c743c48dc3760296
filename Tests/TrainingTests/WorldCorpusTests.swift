import Foundation
import Imaging
import TestSupport
import Testing

@testable import Training

/// Things in other colours, worn and held, and drawn by several hands.
@Suite("The corpus of the second world")
struct WorldCorpusTests {
  private static let heldBack = Result { try Corpus(configuration: .world(arts: [.noto])) }

  /// A folder where two hands drew a fox: one in blue, one in green.
  private static func art() throws -> ArtFolder {
    let folder = try ScratchFolder.make("art")
    for (set, color) in [("fluent-3d", Color(0x2040ff)), ("twemoji", Color(0x20c040))] {
      let home = folder.appending(path: set)
      try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
      try Picture(width: 60, height: 40, color: color)
        .write(to: home.appending(path: "1f98a.webp").path)
    }
    return try ArtFolder(folder)
  }

  @Test("hands draw what they have, captions name them or not, and all else is the font's")
  func hands() throws {
    let art = try Self.art()
    #expect(art.sets == [.fluent3D, .twemoji])
    var configuration = CorpusConfiguration.world(arts: [.noto, .fluent3D, .twemoji])
    (configuration.styleFraction, configuration.tintFraction) = (0, 0)
    let catalogue = try EmojiCatalogue(edition: .second)
    let fox = try #require(catalogue.concept(named: "fox")).id
    configuration.conceptIDs = [fox]
    (configuration.pairFraction, configuration.wornFraction) = (0, 0)
    let foxes = try Corpus(configuration: configuration, folder: art)
    let labels = (0..<900).map(foxes.label)
    for hand in [ArtSet.noto, .fluent3D, .twemoji] {
      let own = labels.filter { $0.art == hand }
      #expect((220...380).contains(own.count))
      let named = own.filter { label in
        hand.manner.works.contains { label.caption.contains($0.split(separator: " ").last ?? "") }
          || label.caption.contains(hand.manner.name)
          || hand.manner.adjective.map { label.caption.contains($0) } ?? false
      }
      #expect(named.count > own.count / 8 && named.count < own.count / 2, "\(hand)")
    }
    func middle(_ hand: ArtSet) -> [UInt8] {
      let label = ExampleLabel(
        caption: "", conceptIDs: [fox], art: hand, colorID: 0, kind: .single)
      let pixels = foxes.pixels(showing: [label])
      return (0..<3).map { pixels[$0 * 128 * 128 + 64 * 128 + 64] }
    }
    #expect(middle(.fluent3D)[2] > 240 && middle(.fluent3D)[0] < 50)
    #expect(middle(.twemoji)[1] > 180 && middle(.twemoji)[2] < 80)
    let whale = try #require(catalogue.concept(named: "whale")).id
    #expect(try foxes.with { $0.conceptIDs = [whale] }.label(3).art == .noto)
  }

  @Test("hands that are not there are refused, with what to do")
  func missing() throws {
    let error = #expect(throws: CorpusError.self) { try Corpus(configuration: .world()) }
    #expect("\(try #require(error))".contains("--art"))
    let empty = try ScratchFolder.make("no-art")
    let other = #expect(throws: CorpusError.self) { try ArtFolder(empty) }
    #expect("\(try #require(other))".contains("fluent-3d"))
  }

  @Test("a thing takes the colour that its caption says, and keeps its eyes and its shape")
  func tints() throws {
    let corpus = try Self.heldBack.get()
    let fox = try #require(corpus.catalogue.concept(named: "fox")).id
    func picture(_ tint: Int?) -> [SIMD3<Int>] {
      let label = ExampleLabel(
        caption: "", conceptIDs: [fox], tints: [tint], colorID: NamedColor.whiteID, kind: .single)
      let pixels = corpus.pixels(showing: [label])
      let area = corpus.size * corpus.size
      return (0..<area).map { at in
        SIMD3(Int(pixels[at]), Int(pixels[area + at]), Int(pixels[2 * area + at]))
      }
    }
    let plain = picture(nil)
    let isGround = plain.map { $0 == SIMD3(255, 255, 255) }
    for color in [5, 6, 8] {
      let tinted = picture(color)
      #expect(zip(tinted, isGround).allSatisfy { !$1 || $0 == SIMD3(255, 255, 255) })
      // The pixels that changed have the new colour on the mean; dark ones are as they were.
      let changed = tinted.indices.filter { tinted[$0] != plain[$0] }
      #expect(changed.count > isGround.filter { !$0 }.count / 2)
      let sum = changed.reduce(SIMD3<Int>.zero) { $0 &+ tinted[$1] }
      let mean = SIMD3(sum.x / changed.count, sum.y / changed.count, sum.z / changed.count)
      let target = NamedColor.all[color].color
      #expect(abs(mean.x - Int(target.red)) < 40 && abs(mean.y - Int(target.green)) < 40)
      #expect(abs(mean.z - Int(target.blue)) < 40)
    }
    // What is dark stays dark: eyes and nose.
    let dark = plain.indices.filter { plain[$0].x + plain[$0].y + plain[$0].z < 120 }
    let green = picture(5)
    #expect(!dark.isEmpty && dark.allSatisfy { green[$0].x + green[$0].y + green[$0].z < 250 })
  }

  @Test("only things with a colour of their own, and of no colour's name, are given another")
  func tintable() throws {
    let corpus = try Self.heldBack.get()
    func can(_ name: String) throws -> Bool {
      let id = try #require(corpus.catalogue.concept(named: name)).id
      return corpus.canTint(id, 6, in: .init(caption: "", conceptIDs: [id], kind: .single))
    }
    for name in ["fox", "frog", "whale", "automobile", "balloon"] {
      // A name of the balloon's and of the car's says red.
      #expect(try can(name) == !["automobile", "balloon"].contains(name), "\(name)")
    }
    for name in ["red heart", "bread", "astronaut"] {
      #expect(try !can(name), "\(name)")
    }
    let tinted = (0..<20_000).map(corpus.label).filter { !$0.tints.isEmpty }
    #expect(tinted.count > 1000)
    #expect(!tinted.contains { $0.tints.contains($0.colorID) && $0.colorID != nil })
    for label in tinted {
      let names = label.conceptIDs.indices.compactMap { label.tint($0)?.name }
      #expect(names.allSatisfy(label.caption.contains), "\(label.caption)")
    }
  }

  @Test("what is worn can be worn by its wearer, is told, and sits on its head")
  func worn() throws {
    let corpus = try Self.heldBack.get()
    let labels = (0..<20_000).map(corpus.label).filter { $0.kind == .worn }
    #expect((1300...1900).contains(labels.count))
    #expect(Set(labels.compactMap(\.relation)) == [.wearing, .holding])
    for label in labels.prefix(400) where label.relation == .wearing {
      #expect(
        label.caption.contains(" wearing ") || label.caption.contains(" with ")
          || label.caption.contains(" in "), "\(label.caption)")
      let character = corpus.catalogue.concepts[label.conceptIDs[1]].character
      let fit = try #require(Wardrobe.fit(of: character))
      #expect(Wardrobe.canWear(fit, corpus.catalogue.concepts[label.conceptIDs[0]].character))
    }
    let fox = try #require(corpus.catalogue.concept(named: "fox")).id
    let hat = try #require(corpus.catalogue.concept(named: "top hat")).id
    let other = try #require(corpus.catalogue.concept(named: "crown")).id
    func picture(_ thing: Int) -> [UInt8] {
      corpus.pixels(showing: [
        ExampleLabel(
          caption: "", conceptIDs: [fox, thing], colorID: 0, relation: .wearing, kind: .worn)
      ])
    }
    let (one, two) = (picture(hat), picture(other))
    let rows = (0..<128).filter { row in
      (0..<128).contains { one[row * 128 + $0] != two[row * 128 + $0] }
    }
    // Both sit on the head, the upper part of the picture.
    #expect(try #require(rows.first) < 30 && #require(rows.last) < 72)
  }

  @Test("a hundred natural prompts name things that there are, or none")
  func natural() throws {
    let corpus = try Self.heldBack.get()
    let prompts = corpus.prompts(.natural, count: 1000, seed: 1)
    #expect(prompts.count == 100 && Set(prompts.map(\.text)).count == 100)
    let lines = NaturalPrompts.table.split(separator: "\n")
    for (line, prompt) in zip(lines, prompts) {
      let things = line.split(separator: "|")[1].split(separator: ",")
        .filter { !$0.allSatisfy(\.isWhitespace) }
      #expect(prompt.conceptIDs.count == things.count, "\(line)")
    }
  }

  @Test("the world's training shows nothing that is held out, its held-out part always does")
  func splits() throws {
    let art = try Self.art()
    let arts = [ArtSet.noto] + art.sets
    let corpus = try Corpus(configuration: .world(arts: arts), folder: art)
    let heldOut = try corpus.with(split: .heldOut)
    for index in 0..<20_000 {
      let label = corpus.label(index)
      #expect(!corpus.isHeldOut(label), "\(label.caption)")
      #expect(corpus.isHeldOut(heldOut.label(index)))
    }
    let batch = corpus.batch(Array(0..<24))
    #expect(corpus.pixels(showing: batch.labels) == batch.pixels)
  }
}

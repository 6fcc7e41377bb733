"""Graphite's questions, answered as Debian's graphite-web answers them on the same data, function by function."""
import importlib.util
import json
import math
import os
import random
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml

from graphite_web import GraphiteWeb, render
from public_data import public_data
from running import LOOPBACK, running, until
from simulated import ROOT, simulated

LISTEN = {**LOOPBACK, "graphite": "127.0.0.1:0", "statsd": "127.0.0.1:0"}
STEP = 10
PRODUCTION = public_data("cloudmon", "mp-prod", "conf.d")
ENVIRONMENT, SERVICE = "production_eu-de", "dns"

# Each function of the table with several forms of its arguments. %s: series.
CASES = {
    "aggregate": ["aggregate(t.a.*.*.count,'sum')", "aggregate(t.a.*.*.count,'avg_zero')", "aggregate(t.a.*.*.count,'count')",
                  "aggregate(t.a.*.*.count,'median',0.5)", "aggregate(t.a.*.*.count,'stddev',xFilesFactor=0.9)",
                  "aggregate(t.a.*.*.count,'rangeOf')", "aggregate(t.a.*.*.count,'last')", "aggregate(t.a.*.*.count,'diff')",
                  "aggregate(t.a.*.*.count,'sumSeries')", "aggregate(no.such,'sum')", "aggregate(t.a.*.*.count,func='max')",
                  "aggregate(t.a.*.*.count,'multiply')", "aggregate(t.a.*.*.count,'current')", "aggregate(t.a.*.*.count,'total')",
                  "consolidateBy(aggregate(t.a.*.*.count, 'average'), 'average')"],
    "aggregateSeriesLists": ["aggregateSeriesLists(t.a.x1.*.count,t.a.x2.*.count,'max')"],
    "sumSeries": ["sumSeries(t.a.*.*.count)", "sumSeries(t.a.x1.*.count,t.a.x2.y1.count)", "sumSeries(t.a.{x1,x3}.y*.count)",
                  "sumSeries(no.such)", "sumSeries(scale(t.a.x1.*.count,2),t.a.x2.*.count)"],
    "sum": ["sum(t.a.*.*.count)"],
    "averageSeries": ["averageSeries(t.a.*.*.count)"],
    "avg": ["avg(t.a.*.*.count)"],
    "minSeries": ["minSeries(t.a.*.*.count)"],
    "maxSeries": ["maxSeries(t.a.*.*.count)"],
    "diffSeries": ["diffSeries(t.a.*.*.count)", "diffSeries(t.a.x1.y1.count,t.a.x2.y1.count)"],
    "stddevSeries": ["stddevSeries(t.a.*.*.count)"],
    "rangeOfSeries": ["rangeOfSeries(t.a.*.*.count)"],
    "multiplySeries": ["multiplySeries(t.a.x1.y1.count,t.a.x2.y1.count)", "multiplySeries(t.a.x1.y1.count)"],
    "sumSeriesLists": ["sumSeriesLists(t.a.x1.*.count,t.a.x2.*.count)"],
    "diffSeriesLists": ["diffSeriesLists(t.a.x1.*.count,t.a.x2.*.count)"],
    "multiplySeriesLists": ["multiplySeriesLists(t.a.x1.*.count,t.a.x2.*.count)"],
    "divideSeries": ["divideSeries(t.a.*.*.count,t.a.x1.y1.count)", "divideSeries(t.a.x1.*.count,no.such)",
                     "divideSeries(t.a.x1.*.count,t.zero)"],
    "divideSeriesLists": ["divideSeriesLists(t.a.x1.*.count,t.a.x2.*.count)"],
    "percentileOfSeries": ["percentileOfSeries(t.a.*.*.count,50)", "percentileOfSeries(t.a.*.*.count,95,true)",
                           "percentileOfSeries(t.a.*.*.count,99.9,interpolate=false)"],
    "countSeries": ["countSeries(t.a.*.*.count)", "countSeries(t.a.x1.*.count,t.zero)", "countSeries()"],
    "weightedAverage": ["weightedAverage(t.a.x1.*.count,t.a.x2.*.count,2)", "weightedAverage(t.a.*.y1.count,t.a.*.y2.count,1,2)"],
    "linearRegression": ["linearRegression(t.a.*.*.count)", "linearRegression(t.zero,'midnight','tomorrow')"],
    "useSeriesAbove": ["useSeriesAbove(transformNull(t.a.x1.*.count),10,'x1','x2')", "useSeriesAbove(transformNull(t.small),1e9,'small','zero')"],
    "legendValue": ["legendValue(t.a.x1.*.count,'avg')", "legendValue(t.a.x1.*.count,'last','max','si')", "legendValue(t.small,'total','binary')",
                    "legendValue(t.zero,'nothing')"],
    "cactiStyle": ["cactiStyle(t.a.*.*.count)", "cactiStyle(scale(t.a.x1.*.count,12345),'si')", "cactiStyle(scale(t.a.x1.*.count,12345),'binary','b')",
                   "cactiStyle(t.small,units='b')"],
    "areaBetween": ["areaBetween(t.a.x1.{y1,y2}.count)"],
    "powSeries": ["powSeries(t.a.x1.y1.count,t.small)"],
    "group": ["group(t.a.x1.*.count,t.zero)", "group()"],
    "asPercent": ["asPercent(t.a.*.*.count)", "asPercent(t.a.*.*.count,t.a.x1.y1.count)", "asPercent(t.a.*.*.count,1500)",
                  "asPercent(t.a.*.*.count,12.5)", "asPercent(t.a.x1.*.count,t.a.x2.*.count)", "asPercent(t.a.*.*.count,t.zero)",
                  "asPercent(t.a.*.*.count,None,2)", "asPercent(t.a.*.*.count,t.a.x1.*.count,3)",
                  "asPercent(t.a.x1.*.count,sumSeries(t.a.*.*.count))", "asPercent(t.a.*.*.count,None,2,3)",
                  "asPercent(sumSeries(t.a.*.*.{c*,none}), sumSeries(t.a.*.*.count))"],
    "pct": ["pct(t.a.x1.*.count)"],
    "groupByNode": ["groupByNode(t.a.*.*.count,2)", "groupByNode(t.a.*.*.count,3,'sum')", "groupByNode(t.a.*.*.count,-2,'maxSeries')",
                    "groupByNode(scale(t.a.*.*.count,2),2,'sumSeries')", "groupByNode(t.a.*.*.count,2,callback='avg')"],
    "groupByNodes": ["groupByNodes(t.a.*.*.count,'sum',2,4)", "groupByNodes(t.a.*.*.count,'countSeries',2)",
                     "groupByNodes(t.a.*.*.count,'min',0)"],
    "groupByTags": ["groupByTags(seriesByTag('name=cpu'),'sum','dc')", "groupByTags(seriesByTag('name=cpu'),'averageSeries','name','host')"],
    "aggregateWithWildcards": ["aggregateWithWildcards(t.a.*.*.count,'sum',2)", "aggregateWithWildcards(t.a.*.*.count,'max',2,3)"],
    "sumSeriesWithWildcards": ["sumSeriesWithWildcards(t.a.*.*.count,2)", "sumSeriesWithWildcards(t.a.*.*.count,1,3)"],
    "averageSeriesWithWildcards": ["averageSeriesWithWildcards(t.a.*.*.count,3)"],
    "multiplySeriesWithWildcards": ["multiplySeriesWithWildcards(t.a.*.*.count,2)"],
    "mapSeries": ["reduceSeries(mapSeries(t.a.*.*.count,2),'sumSeries',3,'y1','y2')"],
    "map": ["reduceSeries(map(t.a.*.*.count,2),'divideSeries',3,'y1','y2')"],
    "reduceSeries": ["reduceSeries(mapSeries(t.a.*.*.count,2),'asPercent',3,'y1','y2')"],
    "reduce": ["reduce(map(t.a.*.*.count,2),'diffSeries',3,'y2','y1')"],
    "applyByNode": ["applyByNode(t.a.*.*.count,2,'sumSeries(%.*.count)')", "applyByNode(t.a.*.*.count,2,'scale(%.y1.count,2)','%.new')"],
    "scale": ["scale(t.a.x1.*.count,2)", "scale(t.a.x1.y1.count,-0.001)", "scale(t.a.x1.y1.count,1e3)"],
    "offset": ["offset(t.a.x1.*.count,10)", "offset(t.a.x1.y1.count,-0.5)"],
    "pow": ["pow(t.a.x1.*.count,2)", "pow(t.signed,0.5)"],
    "add": ["add(t.a.x1.*.count,10)", "add(t.a.x1.y1.count,-2.7)"],
    "absolute": ["absolute(t.signed)"],
    "invert": ["invert(t.a.x1.*.count)", "invert(t.zero)"],
    "squareRoot": ["squareRoot(t.a.x1.*.count)", "squareRoot(t.signed)"],
    "exp": ["exp(t.small)"],
    "logit": ["logit(t.small)"],
    "sigmoid": ["sigmoid(t.small)"],
    "isNonNull": ["isNonNull(t.a.*.*.count)"],
    "offsetToZero": ["offsetToZero(t.a.x1.*.count)"],
    "minMax": ["minMax(t.a.x1.*.count)", "minMax(t.zero)"],
    "logarithm": [],  # see test_differences
    "log": ["log(t.a.x1.*.count)", "log(t.signed,2)", "log(t.a.x1.*.count,base=2)"],
    "round": ["round(t.a.x1.*.count)", "round(t.a.x1.y1.count,1)", "round(t.a.x1.y1.count,-2)"],
    "scaleToSeconds": ["scaleToSeconds(t.a.x1.*.count,1)", "scaleToSeconds(t.a.x1.y1.count,60)"],
    "transformNull": ["transformNull(t.a.*.*.count)", "transformNull(t.a.*.*.count,-1)",
                      "transformNull(t.a.x1.*.count,7,t.a.x2.y1.count)", "transformNull(t.a.x1.*.count,default=2.5)"],
    "removeAboveValue": ["removeAboveValue(t.a.x1.*.count,50)"],
    "removeBelowValue": ["removeBelowValue(t.a.x1.*.count,50.5)"],
    "removeAbovePercentile": ["removeAbovePercentile(t.a.x1.*.count,90)"],
    "removeBelowPercentile": ["removeBelowPercentile(t.a.x1.*.count,10)"],
    "derivative": ["derivative(t.a.x1.*.count)"],
    "nonNegativeDerivative": ["nonNegativeDerivative(t.counter)", "nonNegativeDerivative(t.whole,100000)",
                              "nonNegativeDerivative(t.whole,100000,10)", "nonNegativeDerivative(t.whole,minValue=100)"],
    "perSecond": ["perSecond(t.counter)", "perSecond(t.whole,maxValue=100000)"],
    "integral": ["integral(t.a.x1.*.count)"],
    "integralByInterval": ["integralByInterval(t.a.x1.*.count,'5min')"],
    "delay": ["delay(t.a.x1.*.count,3)", "delay(t.a.x1.y1.count,-2)"],
    "keepLastValue": ["keepLastValue(t.a.*.*.count)", "keepLastValue(t.a.*.*.count,1)", "keepLastValue(t.a.x1.*.count,inf)"],
    "interpolate": ["interpolate(t.a.*.*.count)", "interpolate(t.a.*.*.count,1)"],
    "changed": ["changed(round(t.a.x1.*.count,-2))"],
    "movingAverage": ["movingAverage(t.a.x1.*.count,10)", "movingAverage(t.a.x1.*.count,'5min')", "movingAverage(t.a.x1.*.count,'1min',0.9)",
                      "movingAverage(sumSeries(t.a.*.*.count),6)", "movingAverage(summarize(t.a.x1.y1.count,'1min'),3)",
                      "movingAverage(movingMedian(t.a.x1.y1.count,3),'2min')"],
    "movingMedian": ["movingMedian(t.a.x1.*.count,7)", "movingMedian(t.a.x1.*.count,'2min')"],
    "movingSum": ["movingSum(t.a.x1.*.count,5)"],
    "movingMin": ["movingMin(t.a.x1.*.count,5)"],
    "movingMax": ["movingMax(t.a.x1.*.count,'1min')"],
    "movingWindow": ["movingWindow(t.a.x1.*.count,5)", "movingWindow(t.a.x1.*.count,'3min','stddev')"],
    "exponentialMovingAverage": ["exponentialMovingAverage(t.a.x1.*.count,10)", "exponentialMovingAverage(t.a.x1.*.count,'2min')"],
    "stdev": ["stdev(t.a.x1.*.count,12)", "stdev(t.a.x1.*.count,12,0.9)"],
    "summarize": ["summarize(t.a.*.*.count,'1min')", "summarize(t.a.x1.*.count,'7min','avg')", "summarize(t.a.x1.*.count,'90s','max')",
                  "summarize(t.a.x1.*.count,'10min','last',true)", "summarize(t.a.x1.*.count,'1h','median')",
                  "summarize(t.a.x1.*.count,'5min','count')"],
    "smartSummarize": ["smartSummarize(t.a.*.*.count,'3min','average')", "smartSummarize(t.a.x1.*.count,'1min')",
                       "smartSummarize(t.a.x1.*.count,'1h','sum','hours')", "smartSummarize(t.a.x1.*.count,'5min','max','minutes')",
                       "smartSummarize(t.a.x1.*.count,'30min','avg','days')",
                       "smartSummarize(asPercent(sumSeries(t.a.*.*.{c*,4*}),sumSeries(t.a.*.*.count)),'3min','average')",
                       "asPercent(smartSummarize(sumSeries(t.a.x1.*.count),'3min','average'),smartSummarize(sumSeries(t.a.*.*.count),'3min','average'))",
                       "smartSummarize(consolidateBy(aggregate(t.a.*.*.count, 'average'), 'average'), '3min', 'average')"],
    "hitcount": ["hitcount(t.a.x1.*.count,'1min')", "hitcount(t.a.x1.*.count,'7min')", "hitcount(t.a.x1.*.count,'5min',true)"],
    "timeShift": ["timeShift(t.a.x1.*.count,'10min')", "timeShift(t.a.x1.*.count,'-600s')", "timeShift(t.a.x1.*.count,'+5min')",
                  "timeShift(sumSeries(t.a.*.*.count),'20min',false)", "timeShift(t.a.x1.y1.count,'15min',true,true)"],
    "timeStack": ["timeStack(t.a.x1.y1.count,'10min',0,3)"],
    "timeSlice": [],  # see test_differences
    "nPercentile": ["nPercentile(t.a.*.*.count,95)", "nPercentile(t.a.x1.*.count,50)"],
    "aggregateLine": ["aggregateLine(t.a.x1.*.count)", "aggregateLine(t.a.x1.*.count,'max',true)"],
    "filterSeries": ["filterSeries(t.a.*.*.count,'max','>',95)", "filterSeries(t.a.*.*.count,'average','<=',50)",
                     "filterSeries(t.a.*.*.count,'last','!=',5)"],
    "averageAbove": ["averageAbove(t.a.*.*.count,50)"],
    "averageBelow": ["averageBelow(t.a.*.*.count,50)"],
    "currentAbove": ["currentAbove(t.a.*.*.count,50)"],
    "currentBelow": ["currentBelow(t.a.*.*.count,50)"],
    "maximumAbove": ["maximumAbove(t.a.*.*.count,99)"],
    "maximumBelow": ["maximumBelow(t.a.*.*.count,99)"],
    "minimumAbove": ["minimumAbove(t.a.*.*.count,1)"],
    "minimumBelow": ["minimumBelow(t.a.*.*.count,1)"],
    "highest": ["highest(t.a.*.*.count,2,'max')", "highest(t.a.*.*.count,1)"],
    "lowest": ["lowest(t.a.*.*.count,2,'current')"],
    "highestAverage": ["highestAverage(t.a.*.*.count,2)"],
    "highestCurrent": ["highestCurrent(t.a.*.*.count,2)"],
    "highestMax": ["highestMax(t.a.*.*.count,3)"],
    "lowestAverage": ["lowestAverage(t.a.*.*.count,2)"],
    "lowestCurrent": ["lowestCurrent(t.a.*.*.count,2)"],
    "limit": ["limit(t.a.*.*.count,2)", "limit(t.a.*.*.count,0)", "limit(t.a.*.*.count,-1)"],
    "mostDeviant": ["mostDeviant(t.a.*.*.count,2)"],
    "averageOutsidePercentile": ["averageOutsidePercentile(t.a.*.*.count,80)"],
    "removeBetweenPercentile": ["removeBetweenPercentile(t.full.*,30)"],
    "removeEmptySeries": ["removeEmptySeries(t.*.*)", "removeEmptySeries(t.a.*.*.count,0.9)"],
    "exclude": ["exclude(t.a.*.*.count,'x[12]')"],
    "grep": ["grep(t.a.*.*.count,'x1\\.y')"],
    "unique": ["unique(t.a.x1.*.count,t.a.*.*.count)"],
    "sortBy": ["sortBy(t.a.*.*.count)", "sortBy(t.a.*.*.count,'max',true)"],
    "sortByName": ["sortByName(t.n.*)", "sortByName(t.n.*,true)", "sortByName(t.n.*,natural=true,reverse=true)"],
    "sortByTotal": ["sortByTotal(t.a.*.*.count)"],
    "sortByMaxima": ["sortByMaxima(t.a.*.*.count)"],
    "sortByMinima": ["sortByMinima(t.a.*.*.count)"],
    "fallbackSeries": ["fallbackSeries(no.such,t.zero)", "fallbackSeries(t.small,t.zero)"],
    "alias": ["alias(t.a.x1.*.count,'a name')", "t.a.x1.y1.count|alias('piped')"],
    "aliasByNode": ["aliasByNode(t.a.*.*.count,2,3)", "aliasByNode(scale(t.a.*.*.count,2),-1)", "aliasByNode(sumSeries(t.a.*.y1.count),2)",
                    "aliasByNode(seriesByTag('name=cpu'),'host',0)", "aliasByNode(t.zero,9)"],
    "aliasByTags": ["aliasByTags(seriesByTag('name=cpu'),'dc','host')"],
    "aliasByMetric": ["aliasByMetric(t.a.*.*.count)", "aliasByMetric(scale(t.zero,2))"],
    "aliasSub": ["aliasSub(t.a.*.*.count,'^.*x(\\d+).*$','x \\1')", "aliasSub(t.a.*.*.count,'[.]','_')", "aliasSub(t.zero,'z(e)(r)','\\2-\\g<1>')"],
    "aliasQuery": ["aliasQuery(t.n.*,'t.n','t.full','is %d')", "aliasQuery(t.zero,'zero','small','%.3f of it')"],
    "substr": ["substr(t.a.*.*.count,1,3)", "substr(scale(t.zero,2),-1)", "substr(t.a.x1.y1.count)"],
    "constantLine": ["constantLine(123.5)", "constantLine(5)"],
    "threshold": ["threshold(5)", "threshold(7.25,'limit','red')"],
    "identity": ["identity('The.time')"],
    "timeFunction": ["timeFunction('The.time')", "timeFunction('The.time',30)"],
    "time": ["time('The.time',step=120)"],
    "sinFunction": ["sinFunction('The.sine')", "sinFunction('The.sine',3,30)"],
    "sin": ["sin('The.sine',amplitude=2,step=120)"],
    "verticalLine": [],  # its time is the data's: see test_a_vertical_line
    "holtWintersForecast": ["holtWintersForecast(t.a.*.*.count,'1h','10min')", "holtWintersForecast(t.whole,'20min','1min')",
                            "holtWintersForecast(t.a.x1.*.count,'20h')", "holtWintersForecast(t.signed,'1000s','600s')"],
    "holtWintersConfidenceBands": ["holtWintersConfidenceBands(t.a.*.*.count,3,'1h','10min')",
                                   "holtWintersConfidenceBands(t.a.x3.*.count,bootstrapInterval='30min',seasonality='20min')"],
    "holtWintersConfidenceArea": ["holtWintersConfidenceArea(t.whole,2,'1h','10min')", "holtWintersConfidenceArea(scale(t.zero,2),1,'1h','10min')"],
    "holtWintersAberration": ["holtWintersAberration(t.a.*.*.count,1,'1h','10min')", "holtWintersAberration(t.signed,1,'50min','5min')"],
    "stacked": ["stacked(t.a.*.*.count)", "stacked(t.a.x1.*.count,'up')", "group(stacked(t.a.x1.*.count),stacked(t.a.x2.*.count),stacked(t.zero,'other'))"],
    "consolidateBy": ["consolidateBy(t.a.x1.*.count,'sum')", "consolidateBy(t.a.x1.*.count,'max')", "consolidateBy(t.a.x1.*.count,'first')",
                      "consolidateBy(t.a.x1.*.count,'avg_zero')"],
    "cumulative": ["cumulative(t.a.x1.*.count)"],
    "setXFilesFactor": ["summarize(setXFilesFactor(t.a.*.*.count,0.9),'1min')", "sumSeries(setXFilesFactor(t.a.*.*.count,0.8))"],
    "xFilesFactor": ["movingAverage(xFilesFactor(t.a.x1.*.count,0.95),5)"],
    "alpha": ["alpha(t.zero,0.5)"],
    "color": ["color(t.zero,'red')"],
    "lineWidth": ["lineWidth(t.zero,2)"],
    "dashed": ["dashed(t.zero)", "dashed(t.zero,2.5)"],
    "drawAsInfinite": ["drawAsInfinite(t.zero)"],
    "secondYAxis": ["secondYAxis(t.zero)"],
    "seriesByTag": ["seriesByTag('name=cpu')", "seriesByTag('name=cpu','dc!=west')", "seriesByTag('name=~c.u','host=~h[12]')",
                    "sumSeries(seriesByTag('dc=west'))", "seriesByTag('name=cpu','rack=')", "seriesByTag('name=cpu','host!=~h1')"],
}
# Ways to ask for the same: unaligned times, fewer values, shares.
WAYS = {"plain": {}, "unaligned": {"shift": 7}, "fewer": {"maxDataPoints": "37"}, "shares": {"xFilesFactor": "0.6"},
        "one": {"maxDataPoints": "1"}, "full": {"noNullPoints": "1"}}


def data(end):
    """{path: (step, [(time, value)])}: random with gaps, two hours before `end`."""
    rng = random.Random(7)
    times = range(end - 7200 + STEP, end + 1, STEP)

    def gappy(share, value):
        return [(t, round(value(), 3)) for t in times if rng.random() >= share]

    found = {f"t.a.x{x}.y{y}.count": gappy(0.1 * x, lambda: rng.uniform(0, 100)) for x in (1, 2, 3) for y in (1, 2)}
    total, counter = 0, []
    for t in times:
        total = 5 if rng.random() < 0.02 else total + rng.randrange(50)
        if rng.random() > 0.1:
            counter.append((t, total))
    found["t.counter"] = counter
    found["t.whole"] = [(t, (k * 37) % 1000 + 100) for k, t in enumerate(times)]
    found["t.zero"] = [(t, 0) for t in times]
    found["t.small"] = gappy(0.1, lambda: rng.uniform(0.01, 0.99))
    found["t.signed"] = gappy(0.1, lambda: rng.uniform(-50, 50))
    for n in ("n1", "n2", "n10"):
        found[f"t.n.{n}"] = gappy(0, lambda: rng.uniform(0, 9))
        found[f"t.full.{n}"] = gappy(0, lambda: rng.uniform(0, 9))
    for dc, host in (("west", "h1"), ("west", "h2"), ("east", "h3")):
        found[f"cpu;dc={dc};host={host}"] = gappy(0.1, lambda: rng.uniform(0, 100))
    api = f"stats.counters.openstack.api.{ENVIRONMENT}.eu-de.{SERVICE}.GET.zones"
    for code in ("200", "300", "404", "500", "failed", "attempted"):
        found[f"{api}.{code}.count"] = gappy(0.4, lambda: rng.randrange(1, 9))
    found[f"stats.timers.openstack.api.{ENVIRONMENT}.eu-de.{SERVICE}.GET.zones.200.mean"] = gappy(0.4, lambda: rng.uniform(50, 2000))
    return found


class Both:
    """The same data here and there."""

    def __init__(self, run, web):
        self.run, self.web = run, web
        self.end = int(time.time()) // 60 * 60 - 60
        found = data(self.end)
        for path, points in found.items():
            web.write(path, STEP, points)
        lines = "".join(f"{path} {value} {at}\n" for path, points in found.items() for at, value in points)
        port = int(re.search(r"^graphite: +tcp://[^:]+:(\d+)$", run.stdout(), re.M)[1])
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(lines.encode())
        paths = set(found)
        until(lambda: paths <= set(run.json("/metrics/index.json", run.intake)), "all series are there")
        until(lambda: self.ask(run.intake, "t.a.x3.y2.count")[1][0]["datapoints"][-1][0] is not None or True, "values")
        count = sum(len(points) for points in found.values())
        until(lambda: re.search(rf'ingest_points_total{{source="graphite"}} {count}\b',
                                run.get("/metrics", run.intake)[2].decode()), "all values are taken")

    def ask(self, base, target, shift=0, **more):
        return render(base, target, **{"from": str(self.end - 3600 + shift), "until": str(self.end + shift - 3 * (shift > 0)),
                                       "now": str(self.end), **more})

    def compare(self, target, **way):
        ours = self.ask(self.run.intake, target, **way)
        theirs = self.ask(self.web.url, target, **way)
        assert theirs[0] == 200, f"graphite-web: {theirs}"
        assert ours[0] == 200, f"{target}: {ours}"
        difference = differ(ours[1], theirs[1])
        assert not difference, f"{target} {way}: {difference}"


def near(a, b):
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-11)


def differ(ours, theirs):
    """What is not the same, or None."""
    names = [s["target"] for s in ours], [s["target"] for s in theirs]
    if names[0] != names[1]:
        return f"names {names[0]} instead of {names[1]}"
    for a, b in zip(ours, theirs):
        if len(a["datapoints"]) != len(b["datapoints"]):
            return f"{a['target']}: {len(a['datapoints'])} values instead of {len(b['datapoints'])}"
        for (x, at), (y, when) in zip(a["datapoints"], b["datapoints"]):
            if at != when:
                return f"{a['target']}: a value at {at} instead of {when}"
            if not near(x, y):
                return f"{a['target']} at {at}: {x} instead of {y}"
    return None


@pytest.fixture(scope="module", name="both")
def both_fixture():
    with simulated() as cloud, running(cloud, {"listen": LISTEN}) as run, GraphiteWeb() as web:
        yield Both(run, web)


@pytest.mark.parametrize("function", sorted(CASES))
def test_function(both, function):
    for target in CASES[function]:
        for name, way in WAYS.items():
            if name in ("plain", "unaligned") or target == CASES[function][0]:
                both.compare(target, **way)


# What has other steps than what it is made of is not put into others: see test_unlike_steps_are_aligned_in_time.
OTHER_STEPS = re.compile("ummarize|hitcount|time|constantLine|threshold|identity|aggregateLine|countSeries\\(\\)|exponential|XFiles|xFiles"
                         "|applyByNode|aliasQuery|group\\(\\)|no\\.such|\\||stacked|sin")


@pytest.mark.parametrize("seed", range(5))
def test_functions_in_each_other(both, seed):
    """Forty at random, two and three deep; what graphite-web cannot answer is left out."""
    rng = random.Random(seed)
    cases = [case for some in CASES.values() for case in some]
    hole = re.compile(r"t\.a\.(x1|\*)\.\*\.count")
    outer = [case for case in cases if hole.search(case) and not re.search("XFiles|xFiles|applyByNode|aliasQuery", case)]
    inner = [case for case in cases if not OTHER_STEPS.search(case)]
    same = 0
    for _ in range(40):
        middle = rng.choice(inner)
        if rng.random() < 0.3:
            middle = hole.sub(lambda _: rng.choice(inner), middle, count=1)
        target = hole.sub(lambda _: middle, rng.choice(outer), count=1)
        theirs = both.ask(both.web.url, target)
        if theirs[0] == 200:
            difference = differ(ours(both, target), theirs[1])
            assert not difference, f"{target}: {difference}"
            same += 1
    assert same >= 30


def test_every_function_has_cases(both):
    assert set(both.run.json("/functions", both.run.intake)) == set(CASES)


# --- what is deliberately not as graphite-web (docs/graphite.md) --------------------------------------------------


def ours(both, target, status=200, **more):
    got = both.ask(both.run.intake, target, **more)
    assert got[0] == status, got
    return got[1]


def test_logarithm_has_its_long_name_too(both):
    assert not differ(ours(both, "logarithm(t.signed,2)"), ours(both, "log(t.signed,2)"))


def test_alignment_may_have_a_number_as_in_carbonapi(both):
    assert both.ask(both.web.url, "smartSummarize(t.zero,'1min','sum','1min')")[0] != 200
    assert not differ(ours(both, "smartSummarize(t.a.x1.*.count,'1min','sum','1min')", shift=17),
                      ours(both, "smartSummarize(t.a.x1.*.count,'1min','sum','minutes')", shift=17))


def test_unlike_steps_are_aligned_in_time(both):
    """graphite-web puts values side by side by their number."""
    both_sums = ours(both, "sumSeries(summarize(t.whole,'1min','sum'),t.whole)")[0]
    whole = {at: v for v, at in ours(both, "t.whole")[0]["datapoints"]}
    minutes = {at: v for v, at in ours(both, "summarize(t.whole,'1min','sum')")[0]["datapoints"]}
    assert both_sums["datapoints"][1][1] - both_sums["datapoints"][0][1] == 60
    for value, at in both_sums["datapoints"]:
        inside = [v for t, v in whole.items() if at <= t < at + 60]
        parts = [x for x in (minutes.get(at), sum(inside) / len(inside) if inside else None) if x is not None]
        assert near(value, sum(parts) if parts else None)


def test_a_slice_is_by_the_time_of_each_value(both):
    begin, end = both.end - 1800, both.end - 600
    points = ours(both, f"timeSlice(t.zero,'{begin}','{end}')")[0]["datapoints"]
    assert all((value is not None) == (begin <= at <= end) for value, at in points)


def test_a_delay_of_nothing_changes_nothing(both):
    assert [p for p in ours(both, "delay(t.a.x1.y1.count,0)")[0]["datapoints"]] == ours(both, "t.a.x1.y1.count")[0]["datapoints"]


def test_a_vertical_line(both):
    """One value; without a label graphite-web's has no name."""
    moment = both.end - 600
    for more in ("'deploy'", "'deploy','red'"):
        target = f"verticalLine('{moment}',{more})"
        for way in WAYS.values():
            both.compare(target, **way)
        both.compare([target, "t.zero"])
    assert ours(both, f"verticalLine('{moment}')")[0]["target"] == f"verticalLine({moment})"
    for when, said in ((both.end - 7200, "before"), (both.end + 7200, "after")):
        assert both.ask(both.web.url, f"verticalLine('{when}','x')")[0] != 200
        assert ours(both, f"verticalLine('{when}','x')", status=400).strip() == f"column 14: verticalLine: that is {said} the time asked for"


def test_targets_stack_on_each_other(both):
    both.compare(["stacked(t.a.x1.*.count)", "t.zero", "stacked(t.a.x2.*.count)", "stacked(t.small,'other')", "stacked(t.signed,'other')"])


def test_other_times_are_another_stack(both):
    """graphite-web puts values on each other by their number, and those of a window on what stands there already."""
    plain, average = (ours(both, target)[0]["datapoints"] for target in ("movingAverage(t.whole,5)", "movingAverage(stacked(t.whole),5)"))
    assert plain == average
    minutes = ours(both, ["stacked(t.whole)", "stacked(summarize(t.whole,'1min','sum'))"])[1]
    assert minutes["datapoints"] == ours(both, "summarize(t.whole,'1min','sum')")[0]["datapoints"]


def test_a_bootstrap_of_days_has_longer_steps(both):
    """A week is read in steps of ten minutes; what is off is still told at each value's own time."""
    forecast = ours(both, "holtWintersForecast(t.whole)")[0]["datapoints"]
    assert {b[1] - a[1] for a, b in zip(forecast, forecast[1:])} == {600} and all(v is not None for v, _ in forecast[1:])
    off = ours(both, "holtWintersAberration(t.whole,0)")[0]["datapoints"]
    seen = {at: v for v, at in ours(both, "t.whole")[0]["datapoints"]}
    assert [at for _, at in off] == list(seen)
    for value, at in off:
        expected = [v for v, when in forecast if when <= at < when + 600]
        assert near(value, seen[at] - expected[0] if expected and expected[0] is not None else 0)


def test_a_season_has_two_steps(both):
    assert both.ask(both.web.url, "holtWintersForecast(t.whole,'1h','10s')")[0] != 200
    assert ours(both, "holtWintersForecast(t.whole,'1h','10s')", status=400).strip() == \
        "column 34: holtWintersForecast: a season is at least two steps long, here 20 s"


def test_no_total_is_no_answer(both):
    for target in ("asPercent(t.zero,no.such)", "divideSeriesLists(t.zero,no.such)", "sumSeriesLists(no.such,t.zero)"):
        assert ours(both, target) == []


@pytest.mark.parametrize("target, said", [
    ("scal(t.zero,2)", "column 1: there is no function scal; did you mean scale?"),
    ("scale(t.zero)", "column 1: scale: factor is missing: a number"),
    ("scale(t.zero,'x')", "column 14: scale: expected a number as factor"),
    ("sumSeries(t.zero", "column 17: expected \",\" or \")\" after an argument of sumSeries, found the end"),
    ("movingAverage(t.zero,'5 bananas')",
     "column 22: movingAverage: expected a number of points or a time such as \"5min\" as windowSize"),
    ("aggregate(t.zero,'most')", "column 18: aggregate: expected the name of an aggregation as func"),
    ("grep(t.zero,'(')", "column 13: grep: the regular expression is wrong at its character 2: missing closing parenthesis"),
    ("divideSeries(t.zero,t.a.*.*.count)", "column 21: divideSeries: the divisor must be exactly 1 series, not 6"),
    ("alias(" * 33 + "t.zero", "column 193: functions stand at most 32 deep in each other"),
])
def test_what_is_wrong_is_told_with_its_column(both, target, said):
    assert ours(both, target, status=400).strip() == said


def test_the_target_that_is_wrong_is_named(both):
    assert ours(both, ["t.zero", "t.("], status=400).startswith("column 3: target 2: ")


# --- the HTTP interface -------------------------------------------------------------------------------------------


def post(run, path, body, kind):
    request = urllib.request.Request(run.intake + path, body, {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_a_form_or_json_asks_the_same(both):
    want = ours(both, ["t.zero", "t.small"])
    asked = {"target": ["t.zero", "t.small"], "from": both.end - 3600, "until": both.end, "format": "json"}
    assert post(both.run, "/render", urllib.parse.urlencode(asked, doseq=True).encode(), "application/x-www-form-urlencoded") == want
    assert post(both.run, "/render", json.dumps(asked).encode(), "application/json") == want
    assert post(both.run, "/render/?format=json", json.dumps({**asked, "format": None}).encode(), "application/json") == want


def text(base, path):
    with urllib.request.urlopen(base + path, timeout=20) as answer:
        return answer.headers["Content-Type"].split(";")[0], answer.read().decode()


def test_csv_and_raw(both):
    """Values as text: the same numbers, and everything else the same."""
    for how in ("csv", "raw"):
        query = "/render?" + urllib.parse.urlencode({
            "format": how, "target": "scale(t.n.*,1)", "from": both.end - 300, "until": both.end, "tz": "Asia/Kolkata", "noCache": 1})
        here, there = text(both.run.intake, query), text(both.web.url, query)
        assert here[0] == there[0] == {"csv": "text/csv", "raw": "text/plain"}[how]
        assert here[1] == there[1]


@pytest.mark.parametrize("query, said", [
    ("format=png", "format is json, csv or raw, not png: pictures are not drawn here"),
    ("", "format is json, csv or raw, not missing: pictures are not drawn here"),
    ("format=json&jsonp=f", "jsonp is not offered"),
    ("format=json&from=yore", "from: \"yore\" is no time: "),
    ("format=json&target=t.zero&until=9999999999", "from and until lie between 1970 and 2242"),
    ("format=json&from=1&until=1", "from and until are the same moment"),
    ("format=json&tz=No/Where", "tz: \"No/Where\" is no time zone: expected one such as Europe/Berlin"),
    ("format=json&maxDataPoints=many", "maxDataPoints: \"many\" is no whole number over 0"),
    ("format=json&xFilesFactor=2", "xFilesFactor: \"2\" is no share within 0 and 1"),
    ("format=json&target=%zz", "a parameter is no text in UTF-8, percent-encoded"),
])
def test_a_question_that_is_none_says_why(both, query, said):
    status, _, body = both.run.get("/render?" + query, both.run.intake)
    assert status == 400 and body.decode().startswith(said), body


def test_too_many_targets(both):
    body = urllib.parse.urlencode({"format": "json", "target": ["t.zero"] * 101}, doseq=True).encode()
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(both.run, "/render", body, "application/x-www-form-urlencoded")
    assert refused.value.code == 400
    assert refused.value.read() == b"a question has at most 100 targets, not 101\n"


def test_nothing_of_it_is_public(both):
    assert both.run.get("/render?format=json")[0] == 404
    assert both.run.get("/metrics/find?query=*")[0] == 404


def same(both, path, key=lambda value: value):
    here, there = (json.loads(text(base, path)[1]) for base in (both.run.intake, both.web.url))
    assert key(here) == key(there), path


def test_find(both):
    for query in ("t.*", "t.a.*", "t.a.x1.y1.*", "t.{a,n}.*", "t.a.x[12].*", "no.*", "t.a.x1.y1.count", "t.n.n?"):
        quoted = urllib.parse.quote(query)
        same(both, f"/metrics/find?query={quoted}", lambda rows: [{k: r[k] for k in sorted(r) if k != "context"} for r in rows])
        same(both, f"/metrics/find?format=json&query={quoted}", lambda rows: [(r["path"], r["is_leaf"]) for r in rows])
        same(both, f"/metrics/find?format=completer&query={quoted}", lambda all: sorted(map(json.dumps, all["metrics"])))
        same(both, f"/metrics/expand?query={quoted}")
        same(both, f"/metrics/expand?query={quoted}&query=t.n.*&groupByExpr=1&leavesOnly=1")
    for query, said in (("", "query is missing"), ("query=a&format=pickle", "format is treejson, completer or json, not pickle")):
        status, _, body = both.run.get("/metrics/find?" + query, both.run.intake)
        assert status == 400 and body.decode().startswith(said)


def test_tags(both):
    cpu = "expr=name%3Dcpu"
    same(both, f"/tags/findSeries?{cpu}", sorted)
    same(both, f"/tags/findSeries?{cpu}&expr=dc!%3Dwest", sorted)
    same(both, f"/tags/autoComplete/tags?{cpu}")
    same(both, f"/tags/autoComplete/tags?{cpu}&tagPrefix=h")
    same(both, f"/tags/autoComplete/tags?{cpu}&expr=dc%3Dwest")
    same(both, f"/tags/autoComplete/values?{cpu}&tag=host")
    same(both, f"/tags/autoComplete/values?{cpu}&tag=host&valuePrefix=h1")
    same(both, f"/tags/autoComplete/values?{cpu}&tag=host&limit=2")
    same(both, "/tags/autoComplete/values?tag=dc")
    assert both.run.get("/tags/autoComplete/values", both.run.intake)[2] == b"tag is missing\n"
    assert both.run.get("/tags/findSeries?expr=cpu", both.run.intake)[0] == 400


def test_lb_check(both):
    assert text(both.run.intake, "/lb_check") == ("text/plain", "Ok\n")


# --- streams --------------------------------------------------------------------------------------------------------


def test_what_statsd_sends_is_asked_by_its_names(both):
    port = int(re.search(r"^statsd: +udp://[^:]+:(\d+)$", both.run.stdout(), re.M)[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"s.api.200:3|c\ns.api.200:4|c\ns.api.200:100|ms\ns.api.200:300|ms\ns.api:5|g\ntagged:1|c|#dc:north",
                 ("127.0.0.1", port))

    def last(target):
        """{name: newest value} of the last minute."""
        lines = render(both.run.intake, target, **{"from": "-1min"})[1]
        return {s["target"]: [v for v, _ in s["datapoints"] if v is not None][-1] for s in lines
                if any(v is not None for v, _ in s["datapoints"])}

    until(lambda: last("stats.counters.s.api.200.count"), "it is flushed", 30)
    assert last("stats.counters.s.api.200.*") == {"stats.counters.s.api.200.count": 7, "stats.counters.s.api.200.rate": 0.7}
    timers = last("aliasByNode(stats.timers.s.api.200.*,-1)")
    assert timers["count"] == 2 and timers["rate"] == 0.2
    assert {name: timers[name] for name in ("mean", "lower", "upper", "sum")} == {"mean": 200, "lower": 100, "upper": 300, "sum": 400}
    assert timers["p99"] == pytest.approx(300, rel=0.032) and timers["std"] == pytest.approx(100, rel=0.1)
    assert last("stats.gauges.s.*") == {"stats.gauges.s.api": 5}
    assert last("aliasByTags(seriesByTag('dc=north','name=~.*\\.count$'),'name')") == {"stats.counters.tagged.count": 1}


# --- docs and production -------------------------------------------------------------------------------------------


def page():
    with open(os.path.join(ROOT, "docs/graphite.md"), encoding="utf-8") as f:
        return f.read()


def test_many_targets_in_a_url(both):
    """A hundred long ones are answered; what has no room at all is told so, not dropped."""
    address = both.run.intake.split("://")[1].split(":")

    def get(targets):
        query = urllib.parse.urlencode([("target", t) for t in targets] + [("from", "-1h"), ("format", "json")])
        with socket.create_connection((address[0], int(address[1])), 30) as s:
            s.sendall(f"GET /render?{query} HTTP/1.0\r\nHost: {':'.join(address)}\r\n\r\n".encode())
            with s.makefile("rb") as f:
                return len(query), f.read()
    targets = [f"alias(sumSeries(t.a.x1.y1.count,t.a.x2.y1.count,t.a.x3.y1.count,t.zero,scale(t.small,{i})),'of {i}')" for i in range(100)]
    size, answer = get(targets)
    assert size > 10000 and answer.startswith(b"HTTP/1.1 200 "), answer[:300]
    assert [s["target"] for s in json.loads(answer.split(b"\r\n\r\n", 1)[1])] == [f"of {i}" for i in range(100)]
    assert get(targets * 10)[1].startswith(b"HTTP/1.1 414 ")


def test_the_page_lists_every_function(both):
    functions = both.run.json("/functions", both.run.intake)
    rows = {m[1]: m[2] for m in re.finditer(r"^\| `(\w+)` \| `(.*?)` \|", page(), re.M)}
    assert rows == {name: f["function"] for name, f in functions.items()}


def test_the_page_lists_what_is_not_there(both):
    """Its own /functions fails with this Python, so its table is read."""
    with open(os.path.join(os.path.dirname(importlib.util.find_spec("graphite").origin), "render/functions.py"),
              encoding="utf-8") as f:
        table = re.search(r"^SeriesFunctions = \{(.*?)^\}", f.read(), re.M | re.S)[1]
    theirs = set(re.findall(r"""^ +['"](\w+)['"] *:""", table, re.M))
    assert len(theirs) > 100
    missing = theirs - set(both.run.json("/functions", both.run.intake))
    said = set(re.search(r"^Not there: (.*?)\.$", page(), re.M | re.S)[1].replace("`", "").replace(",", " ").split())
    assert said == missing


def production():
    """[(query, whether graphite-web can answer it)] with the environment and service of the data."""
    with open(os.path.join(PRODUCTION, "metric_templates.yaml"), encoding="utf-8") as f:
        templates = yaml.safe_load(f)["metric_templates"]
    queries = [t["query"].replace("$environment", ENVIRONMENT).replace("$service", SERVICE) for t in templates.values()]
    return [(query, "'1min')" not in query) for query in queries]


@pytest.mark.skipif(not os.path.isdir(PRODUCTION), reason="the public production configuration is not at hand")
def test_queries_of_production(both):
    with_values = 0
    for query, comparable in production():
        lines = ours(both, query)
        with_values += any(value is not None for line in lines for value, _ in line["datapoints"])
        if comparable:
            both.compare(query)
            both.compare(query, shift=7)
    assert with_values >= 10


@pytest.mark.skipif(not os.path.isdir(PRODUCTION), reason="the public production configuration is not at hand")
def test_all_flags_of_production(both):
    """As the metrics processor asks: alias(QUERY,'service.flag') of all flags of a service at once."""
    with open(os.path.join(PRODUCTION, "metric_templates.yaml"), encoding="utf-8") as f:
        templates = yaml.safe_load(f)["metric_templates"]
    with open(os.path.join(PRODUCTION, "flag_metrics.yaml"), encoding="utf-8") as f:
        flags = yaml.safe_load(f)["flag_metrics"]
    asked = []
    for flag in flags:
        for environment in flag["environments"]:
            query = templates[flag["template"]["name"]]["query"]
            query = query.replace("$environment", environment["name"]).replace("$service", flag["service"])
            asked.append((f"alias({query},'{flag['service']}.{flag['name']}')", flag["service"] == SERVICE and environment["name"] == ENVIRONMENT))
    assert len(asked) > 300
    for i in range(0, len(asked), 50):
        body = urllib.parse.urlencode({"format": "json", "from": both.end - 3600, "until": both.end,
                                       "target": [query for query, _ in asked[i:i + 50]]}, doseq=True).encode()
        lines = post(both.run, "/render", body, "application/x-www-form-urlencoded")
        assert len(lines) == sum(has for _, has in asked[i:i + 50])
